"""The proxy against a real server on the loopback interface: what leaves, and what is logged."""

from __future__ import annotations

import hashlib
import http.client
import socket

import pytest

from hubpub.errors import UsageError
from hubpub.verify.hosts import rules
from proxying import Open, proxy
from publishing import Response, Server

__all__ = ["proxy"]  # a fixture


def test_a_download_is_passed_on_and_hashed(http_server: Server, proxy: Open) -> None:
    body = bytes(range(256)) * 1000
    http_server.serve({"/m-1.pth?a=b": body})
    there = proxy(http_server.host)
    url = http_server.url("/m-1.pth?a=b")
    assert there.ask("GET", url) == (200, "OK", body)
    (entry,) = there.log()
    assert (entry.url, entry.status, entry.size, entry.decision) == (url, 200, len(body), "allowed")
    assert entry.sha256 == hashlib.sha256(body).hexdigest()
    assert not entry.short
    assert http_server.requests[0].headers["Host"] == http_server.host  # not what the job said


def test_a_host_that_is_not_allowed_is_named_with_its_flag(
    http_server: Server, proxy: Open
) -> None:
    there = proxy()
    status, reason, _ = there.ask("GET", http_server.url("/x"))
    assert status == 403
    assert f"--allow-host {http_server.host}" in reason
    assert [entry.decision for entry in there.log()] == ["denied"]
    assert not http_server.requests


@pytest.mark.parametrize(
    "target",
    [
        "/relative",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "http://github.com@127.0.0.1:{port}/x",
        "http://127.0.0.1:{port}.example/x",
        "http://[::1]:22/",
        "http://:80/",
    ],
)
def test_unusual_targets_never_leave(target: str, http_server: Server, proxy: Open) -> None:
    there = proxy("github.com")
    port = http_server.host.split(":")[1]
    status, _, _ = there.ask("GET", target.replace("{port}", port))
    assert status in {403, 502}
    assert not http_server.requests


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
def test_only_reading_leaves(method: str, http_server: Server, proxy: Open) -> None:
    there = proxy(http_server.host)
    status, _, _ = there.ask(method, http_server.url("/x"))
    assert status == 403
    assert not http_server.requests
    assert there.log()[0].decision == "denied"


def test_an_allowed_name_that_resolves_inside_is_refused(proxy: Open) -> None:
    """A wildcard says nothing about addresses: only a host named by the user may be private."""
    there = proxy("*.localhost")
    there.egress.begin("job1")
    status, reason, _ = there.ask("GET", "http://a.localhost/")
    assert status in {403, 502}
    assert "not public" in reason or "does not resolve" in reason


def test_a_redirect_is_an_entry_of_its_own(http_server: Server, proxy: Open) -> None:
    other = "http://elsewhere.example/m.pth"
    http_server.serve({"/m.pth": (302, {"Location": other}, b"")})
    there = proxy(http_server.host)
    assert there.ask("GET", http_server.url("/m.pth"))[0] == 302
    assert there.ask("GET", other)[0] == 403
    assert [entry.decision for entry in there.log(2)] == ["allowed", "denied"]
    assert there.log()[0].location == other


def test_a_short_body_is_seen_as_short(http_server: Server, proxy: Open) -> None:
    http_server.serve({"/m.pth": Response(200, {"Content-Length": "1000"}, b"only this")})
    there = proxy(http_server.host)
    there.ask("GET", http_server.url("/m.pth"))
    (entry,) = there.log()
    assert (entry.short, entry.size, entry.announced) == (True, 9, 1000)


def test_the_budget_cuts_a_download(http_server: Server, proxy: Open) -> None:
    http_server.serve({"/m.pth": bytes(1 << 20)})
    there = proxy(http_server.host, budget=100_000)
    _, _, body = there.ask("GET", http_server.url("/m.pth"))
    (entry,) = there.log()
    assert entry.decision == "cut"
    assert len(body) <= 100_000
    assert "--download-limit" in str(entry.reason)


def test_an_unreachable_host_is_no_refusal(proxy: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    there = proxy(f"127.0.0.1:{port}")
    assert there.ask("GET", f"http://127.0.0.1:{port}/m.pth")[0] == 502
    (entry,) = there.log()
    assert (entry.decision, entry.status) == ("allowed", None)
    assert "refused" in str(entry.reason).lower()


def test_connect_is_a_counted_tunnel(http_server: Server, proxy: Open) -> None:
    http_server.serve({"/x": b"through"})
    there = proxy(http_server.host)
    connection = http.client.HTTPConnection(there.address, there.port, timeout=10)
    host, port = http_server.host.split(":")
    connection.set_tunnel(host, int(port))
    connection.request("GET", "/x")
    assert connection.getresponse().read() == b"through"
    connection.close()
    (entry,) = there.log()
    assert (entry.method, entry.sha256) == ("CONNECT", None)
    assert entry.size > len(b"through")


def test_connect_to_a_host_that_is_not_allowed(proxy: Open) -> None:
    there = proxy()
    for target in ("169.254.169.254:80", "evil.example:443", "github.com:22", "github.com"):
        status, _, _ = there.ask("CONNECT", target)
        assert status == 403, target


@pytest.mark.parametrize(
    "text", ["", "http://x", "a/b", "host:port", "user@host", "host:99999", "*", "a.*"]
)
def test_allow_host_refuses_what_is_no_host(text: str) -> None:
    with pytest.raises(UsageError):
        rules([text])


@pytest.mark.parametrize(
    ("rule", "host", "port", "expected"),
    [
        ("example.org", "example.org", 443, True),
        ("example.org", "example.org", 8080, False),
        ("example.org:8080", "example.org", 8080, True),
        ("example.org:8080", "example.org", 443, False),
        ("example.org", "evil-example.org", 443, False),
        ("*.example.org", "a.example.org", 443, True),
        ("*.example.org", "example.org", 443, False),
        ("*.example.org", "evilexample.org", 443, False),
        ("EXAMPLE.org", "example.org", 443, True),
    ],
)
def test_rules(rule: str, host: str, port: int, expected: bool) -> None:
    assert rules([rule])[-1].matches(host, port) is expected
