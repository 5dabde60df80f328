"""Jobs that say to the proxy what no honest client says: nothing leaves, all is noted."""

from __future__ import annotations

import contextlib
import socket
import time

import pytest

from hubpub.verify.egress import Bounds
from proxying import QUICK, Open, proxy, read_all
from publishing import Server

__all__ = ["proxy"]  # a fixture

END = b" HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"


def statuses(answer: bytes) -> list[int]:
    return [int(line.split()[1]) for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.")]


@pytest.mark.parametrize(
    "said",
    [
        b"\r\n\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET {url}\r\n\r\n",
        b"GET {url} HTTP/0.9\r\n\r\n",
        b"GET {url} HTTP/2.0\r\nHost: x\r\n\r\n",
        b"GET {url} HTTP/1.1\r\n\r\n",
        b"GET {url} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET {url} x HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET\t{url} HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET {url} HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET {url} HTTP/1.1\r\nHost: x\r\n folded\r\nno colon\r\n\r\n",
        b"GET {url} HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
        b"GET {url}\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET {url}\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET {url}\x1b[31m HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET {url}\rX: HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 2\r\n\r\n",
        b"GET {url} HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET {url} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"GET {url} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET {url} HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET {url} HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
        b"GET {url}?" + b"x" * 9000 + END,
        b"GET {url}?" + b"x" * 100_000 + END,
        # a body, for whoever reads it as a second request
        b"GET {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nGET {url} HTTP/1.1\r\n\r\n",
        b"GET {url} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n" + CHUNKED + b"GET {url}" + END,
        b"POST {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000,
    ],
)
def test_what_is_no_plain_request_does_not_leave(
    http_server: Server, proxy: Open, said: bytes
) -> None:
    there = proxy(http_server.host, bounds=QUICK)
    answer = there.say(said.replace(b"{url}", http_server.url("/x").encode()))
    (status,) = statuses(answer)
    assert 400 <= status < 600
    assert answer.split(b"\r\n")[0].split(b" ", 2)[2].startswith(b"hubpub: ")
    (entry,) = there.log()
    assert (entry.decision, entry.status, entry.size) == ("denied", None, 0)
    assert all(" " <= char <= "~" for char in f"{entry.method}{entry.url}{entry.reason}"), entry
    assert len(entry.url) <= 8192
    assert len(entry.method) <= 16
    assert not http_server.requests


def test_a_second_request_on_a_connection_is_not_one(http_server: Server, proxy: Open) -> None:
    http_server.serve({"/x": b"first", "/y": b"second"})
    there = proxy(http_server.host)
    first, second = (f"GET {http_server.url(path)}".encode() + END for path in ("/x", "/y"))
    answer = there.say(first + second)
    assert (statuses(answer), b"first" in answer, b"second" in answer) == ([200], True, False)
    assert [request.target for request in http_server.requests] == ["/x"]
    assert [entry.url for entry in there.log()] == [http_server.url("/x")]


def test_the_url_says_where_to_and_not_the_host_header(http_server: Server, proxy: Open) -> None:
    http_server.serve({"/x": b"x"})
    there = proxy("allowed.example")
    status, reason, _ = there.ask("GET", http_server.url("/x"), Host="allowed.example")
    assert (status, "--allow-host" in reason) == (403, True)
    there = proxy(http_server.host)
    assert there.ask("GET", http_server.url("/x"), Host="denied.example")[0] == 200
    assert http_server.requests[0].headers["Host"] == http_server.host


def test_only_what_reading_needs_is_passed_on(http_server: Server, proxy: Open) -> None:
    sent = {
        "Range": "bytes=0-1", "User-Agent": "torch.hub", "Accept": "a/b", "If-None-Match": "x",
        "Cookie": "c", "Authorization": "Basic a", "Proxy-Authorization": "b", "X-Secret": "s",
        "Connection": "close, X-Secret", "Accept-Encoding": "gzip", "Forwarded": "for=1.2.3.4",
    }  # fmt: skip
    there = proxy(http_server.host)
    there.ask("GET", http_server.url("/x"), **sent)
    found = {name.lower(): value for name, value in http_server.requests[0].headers.items()}
    assert found == {
        "host": http_server.host, "range": "bytes=0-1", "user-agent": "torch.hub", "accept": "a/b",
        "if-none-match": "x", "accept-encoding": "identity", "connection": "close",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("pieces", "pause"),
    [
        ([b"GET http://x/"], 0.0),
        ([b"GET http://x/", *[b"x"] * 40], 0.05),
        ([b"GET http://x/ HTTP/1.1\r\n", *[b"X: y\r\n"] * 40], 0.05),
    ],
)
def test_a_request_that_does_not_end_is_not_waited_for(
    proxy: Open, pieces: list[bytes], pause: float
) -> None:
    there = proxy(bounds=QUICK)
    answer = there.say(*pieces, pause=pause)
    assert statuses(answer) in ([408], [])  # or the connection was reset under the late pieces
    (entry,) = there.log()
    assert entry.decision == "denied"
    assert "no whole request within 0.5 seconds" in str(entry.reason)


def test_connections_that_say_nothing_end_and_are_no_requests(
    http_server: Server, proxy: Open
) -> None:
    """They wait for each other, never for the parent: it serves so many at a time."""
    http_server.serve({"/x": b"x"})
    there = proxy(http_server.host, bounds=Bounds(at_once=4, head_s=0.5))
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(there.connect()) for _ in range(12)]
        assert there.ask("GET", http_server.url("/x"))[2] == b"x"
        assert [read_all(connection) for connection in idle[:4]] == [b""] * 4
    assert [entry.url for entry in there.log()] == [http_server.url("/x")]


@pytest.mark.parametrize(
    ("bounds", "ask", "served"),
    [
        (Bounds(requests=3), "{}", 3),
        (Bounds(log_bytes=100), "{}?" + "x" * 200, 1),
        (Bounds(run_log_bytes=100), "{}?" + "x" * 200, 1),
        (Bounds(requests=3), "http://denied.example/", 3),
        (Bounds(requests=3), "no url", 3),
    ],
)
def test_a_flood_of_requests_is_refused_and_fails_the_job(
    http_server: Server, proxy: Open, bounds: Bounds, ask: str, served: int
) -> None:
    there = proxy(http_server.host, bounds=bounds)
    request = f"GET {ask.format(http_server.url('/x'))}".encode() + END
    answers = []
    for number in range(10):
        answers += statuses(there.say(request))
        there.log(min(number, served) + 1)
    assert answers[served:] == [429] * (10 - served)
    assert len(http_server.requests) == (served if ask.startswith("{}") else 0)
    log = there.egress.requests("job1")
    assert [entry.decision for entry in log[served:]] == ["cut"]
    assert "the rest is refused" in str(log[-1].reason)
    there.egress.begin("job2")
    if bounds.run_log_bytes > 100:
        assert statuses(there.say(request))[0] != 429


def test_what_waits_when_a_job_ends_is_not_of_the_next(http_server: Server, proxy: Open) -> None:
    there = proxy(http_server.host, bounds=Bounds(at_once=1))
    request = f"GET {http_server.url('/x')}".encode() + END
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(there.connect())
        first.sendall(b"GET ")
        for _ in range(20):
            stack.enter_context(there.connect()).sendall(request)
        time.sleep(0.3)
        there.egress.settle()
        there.egress.begin("job2")
        assert statuses(there.say(request)) == [404]
    assert len(there.egress.requests("job2")) == 1
    assert len(http_server.requests) == 1


def test_between_jobs_nobody_is_served(http_server: Server, proxy: Open) -> None:
    there = proxy(http_server.host)
    there.egress.settle()
    assert there.say(f"GET {http_server.url('/x')}".encode() + END) == b""
    assert not there.egress.requests()


def test_a_sandbox_that_is_replaced_is_not_served_any_more(
    http_server: Server, proxy: Open
) -> None:
    there = proxy(http_server.host)
    with socket.create_server(("127.0.0.1", 0)) as other:
        there.egress.serve(other)
        there.address, there.port = other.getsockname()
        assert there.ask("GET", http_server.url("/x"))[0] == 404
        there.address, there.port = there.listener.getsockname()
        with there.connect() as connection:
            connection.settimeout(0.5)
            with pytest.raises(TimeoutError):
                connection.recv(1)


# --- CONNECT --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        "169.254.169.254:80",
        "metadata.google.internal:80",
        "evil.example:443",
        "github.com:22",
        "github.com",
        "github.com:",
        "github.com:0",
        "github.com:443x",
        "github.com:99999",
        ":443",
        "https://github.com:443",
        "github.com:443@evil.example:443",
        "user@github.com:443",
        "evil.example:443#github.com:443",
        "github.com:443/x",
        "[::1]:443",
        "[::ffff:127.0.0.1]:80",
        "127.1:80",
        "2130706433:80",
        "0x7f000001:80",
    ],
)
def test_no_tunnel_to_who_is_not_allowed(proxy: Open, target: str) -> None:
    there = proxy()
    answer = there.say(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    assert statuses(answer) == [403]
    (entry,) = there.log()
    assert (entry.method, entry.decision) == ("CONNECT", "denied")


def through(there: object, server: Server, *pieces: bytes) -> bytes:
    head = f"CONNECT {server.host} HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode()
    answer: bytes = there.say(head + pieces[0], *pieces[1:])  # type: ignore[attr-defined]
    return answer


def test_what_comes_together_with_connect_is_passed_on(http_server: Server, proxy: Open) -> None:
    http_server.serve({"/x": b"through"})
    there = proxy(http_server.host)
    request = b"GET /x HTTP/1.0\r\n\r\n"
    answer = through(there, http_server, request)
    assert (statuses(answer), answer.endswith(b"through")) == ([200, 200], True)
    (entry,) = there.log()
    assert (entry.decision, entry.reason) == ("allowed", f"{len(request)} bytes sent")
    assert entry.url == f"https://{http_server.host}"


def test_little_is_sent_through_all_tunnels_of_a_job(http_server: Server, proxy: Open) -> None:
    there = proxy(http_server.host, bounds=Bounds(up_bytes=100_000))
    request = b"POST /x HTTP/1.0\r\nContent-Length: 60000\r\n\r\n" + b"x" * 60_000
    through(there, http_server, request)
    through(there, http_server, request)
    first, second = there.log(2)
    assert (first.decision, second.decision) == ("allowed", "cut")
    assert second.reason == "more than 100000 bytes sent through tunnels"


def test_the_download_limit_holds_in_a_tunnel(http_server: Server, proxy: Open) -> None:
    http_server.serve({"/x": bytes(1 << 20)})
    there = proxy(http_server.host, budget=100_000)
    assert len(through(there, http_server, b"GET /x HTTP/1.0\r\n\r\n")) <= 100_100
    (entry,) = there.log()
    assert entry.decision == "cut"
    assert "--download-limit" in str(entry.reason)


def test_a_tunnel_in_which_nothing_happens_ends(http_server: Server, proxy: Open) -> None:
    there = proxy(http_server.host, bounds=QUICK)
    answer = through(there, http_server, b"")
    assert statuses(answer) == [200]
    assert there.log()[0].decision == "allowed"
