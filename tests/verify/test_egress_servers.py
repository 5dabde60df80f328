"""Servers that lie, dribble and flood: what the proxy makes of them, and says of them."""

from __future__ import annotations

import hashlib
import resource
import threading
import time

import pytest

from proxying import QUICK, Open, proxy
from rough import Rough, Script, raw, silent

__all__ = ["proxy"]  # a fixture

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "size", "said"),
    [
        (OK + b"Content-Length: 1000\r\n\r\nonly this", 9, "after 9 of 1000 bytes"),
        (OK + b"Content-Length: 1000\r\nContent-Length: 1000\r\n\r\nabc", 3, "after 3 of 1000"),
        (CHUNKED + b"5\r\nabcde\r\n", 5, "ended early"),
        (CHUNKED + b"5\r\nabc", 3, "ended early"),
        (CHUNKED + b"5\r\nabcde\r\n0\r\n", 5, "ended early"),
        (CHUNKED + b"5\r\nabcdefghi\r\n", 5, "ended early"),
        (CHUNKED + b"5\r\nabcde\r\n-5\r\nx", 5, "ended early"),
        (CHUNKED + b"5\r\nabcde\r\n0x5\r\nabcde", 5, "ended early"),
        (CHUNKED + b"5\r\nabcde\r\n+5\r\nabcde", 5, "ended early"),
        (CHUNKED + b"5\r\nabcde\r\n" + b"9" * 99, 5, "ended early"),
        (CHUNKED + b"5;" + b"x" * 99_999, 0, "ended early"),
        (OK + b"Content-Encoding: gzip\r\nContent-Length: 99\r\n\r\n\x1f\x8b", 2, "after 2 of 99"),
    ],
)
def test_a_body_that_does_not_end_as_announced_is_cut(
    rough: Rough, proxy: Open, answer: bytes, size: int, said: str
) -> None:
    rough.scripts["/m.pth"] = raw(answer)
    there = proxy(rough.host)
    there.ask("GET", rough.url("/m.pth"))
    (entry,) = there.log()
    assert (entry.decision, entry.status, entry.size) == ("cut", 200, size), entry
    assert said in str(entry.reason)


def test_a_cut_body_is_not_ended_for_the_job_either(rough: Rough, proxy: Open) -> None:
    """In chunks even a client that checks no length, such as torch's, cannot take it for whole."""
    rough.scripts["/m.pth"] = raw(CHUNKED + b"5\r\nabcde\r\n")
    there = proxy(rough.host)
    url = rough.url("/m.pth").encode()
    answer = there.say(b"GET " + url + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"abcde" in answer
    assert b"\r\n0\r\n" not in answer


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (OK + b"\r\nto the end", b"to the end"),
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", b"to the end"),
        (OK + b"Content-Length: 3\r\n\r\nabcdef", b"abc"),
        (OK + b"Content-Length: 3, 3\r\n\r\nabc", b"abc"),
        (CHUNKED + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX: y\r\n\r\n", b"abcde"),
        (OK + b"Content-Length: 1\r\n" + CHUNKED[len(OK):] + b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
         + OK + b"Content-Length: 3\r\n\r\nabc", b"abc"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", b""),
    ],
)  # fmt: skip
def test_a_whole_body_is_whole(rough: Rough, proxy: Open, answer: bytes, body: bytes) -> None:
    rough.scripts["/m.pth"] = raw(answer)
    there = proxy(rough.host)
    assert there.ask("GET", rough.url("/m.pth"))[2] == body
    (entry,) = there.log()
    assert (entry.decision, entry.reason, entry.size) == ("allowed", None, len(body))
    assert entry.sha256 == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>HTTP/0.9</html>",
        b"SSH-2.0-hello\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/0.9 200 OK\r\n\r\n",
        b"HTTP/1.1 200",
        OK,
        OK + b"no colon\r\n\r\n",
        OK + b"X: a\rY: b\r\n\r\n",
        OK + b"X: a\x00b\r\n\r\n",
        OK + b"Content-Length: -1\r\n\r\nabc",
        OK + b"Content-Length: +3\r\n\r\nabc",
        OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        OK + b"Transfer-Encoding: gzip\r\n\r\nabc",
        OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        OK + b"X: " + b"x" * 100_000 + b"\r\n\r\n",
        OK + b"".join(b"X-%d: y\r\n" % number for number in range(20_000)) + b"\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 1000 + OK + b"Content-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\nabc",
    ],
)
def test_an_answer_that_is_none_is_refused(rough: Rough, proxy: Open, answer: bytes) -> None:
    rough.scripts["/m.pth"] = raw(answer)
    there = proxy(rough.host)
    status, reason, body = there.ask("GET", rough.url("/m.pth"))
    assert (status, body) == (502, b"")
    assert reason.startswith("hubpub: ")
    (entry,) = there.log()
    assert (entry.decision, entry.status, entry.size, entry.sha256) == ("allowed", None, 0, None)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (silent, "it does not answer in time"),
        (raw(b"HTTP/1.1 200 OK\r\nX: ", b"x", pause=0.05, again=200), "it does not answer in time"),
        (raw(b"", b"HTTP/1.1 100 C\r\n\r\n", pause=0.05, again=15), "it does not answer in time"),
    ],
    ids=["silent", "dribbles", "puts off"],
)
def test_an_answer_that_does_not_begin_is_not_waited_for(
    rough: Rough, proxy: Open, script: Script, said: str
) -> None:
    rough.scripts["/m.pth"] = script
    there = proxy(rough.host, bounds=QUICK)
    status, reason, _ = there.ask("GET", rough.url("/m.pth"))
    assert (status, reason) == (502, f"hubpub: {said}")
    assert there.log()[0].reason == said


@pytest.mark.parametrize(
    "script",
    [
        raw(OK + b"Content-Length: 9000\r\n\r\nabc", b"", pause=9),
        raw(OK + b"Content-Length: 9000\r\n\r\n", b"x", pause=0.02, again=400),
        raw(CHUNKED, b"1\r\nx\r\n", pause=0.02, again=400),
        raw(CHUNKED + b"0\r\n", b"X: y\r\n", pause=0.02, again=400),
    ],
    ids=["stops", "dribbles", "dribbles chunks", "dribbles trailers"],
)
def test_a_body_that_hardly_comes_is_cut(rough: Rough, proxy: Open, script: Script) -> None:
    rough.scripts["/m.pth"] = script
    there = proxy(rough.host, bounds=QUICK)
    there.ask("GET", rough.url("/m.pth"))
    (entry,) = there.log()
    assert entry.decision == "cut"
    assert "less than 1024 bytes in 0.5 seconds" in str(entry.reason)


def test_a_slow_body_that_keeps_coming_is_waited_for(rough: Rough, proxy: Open) -> None:
    rough.scripts["/m.pth"] = raw(
        OK + b"Content-Length: 9000\r\n\r\n", b"x" * 1800, pause=0.15, again=5
    )
    there = proxy(rough.host, bounds=QUICK)
    assert len(there.ask("GET", rough.url("/m.pth"))[2]) == 9000
    assert there.log()[0].decision == "allowed"


@pytest.mark.parametrize(
    "start",
    [OK + b"\r\n", CHUNKED, OK + b"Content-Length: 99999999999\r\n\r\n"],
)  # fmt: skip
def test_an_endless_body_ends_at_the_budget(rough: Rough, proxy: Open, start: bytes) -> None:
    piece = bytes(1 << 16)
    if b"chunked" in start:
        piece = b"10000\r\n" + piece + b"\r\n"
    rough.scripts["/m.pth"] = raw(start, piece, again=10_000)
    there = proxy(rough.host, budget=3_000_000)
    assert len(there.ask("GET", rough.url("/m.pth"))[2]) <= 3_000_000
    (entry,) = there.log()
    assert entry.decision == "cut"
    assert "--download-limit" in str(entry.reason)


def test_a_flood_costs_the_parent_no_memory(rough: Rough, proxy: Open) -> None:
    """The lengths of chunks are what a lenient reader takes for "everything"."""
    scripts = {
        "/negative": raw(CHUNKED + b"-1\r\n", bytes(1 << 20), again=300),
        "/header": raw(OK + b"X: ", b"x" * (1 << 20), again=300),
        "/extension": raw(CHUNKED + b"1;", b"x" * (1 << 20), again=300),
        "/trailer": raw(CHUNKED + b"0\r\nX: ", b"x" * (1 << 20), again=300),
    }  # fmt: skip
    rough.scripts.update(scripts)
    there = proxy(rough.host, budget=1 << 40)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for path in scripts:
        there.ask("GET", rough.url(path))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB
    assert {entry.sha256 is None or entry.decision == "cut" for entry in there.log(4)} == {True}


@pytest.mark.parametrize(
    ("location", "logged"),
    [
        ("https://elsewhere.example/m.pth", "https://elsewhere.example/m.pth"),
        ("//elsewhere.example/m.pth", "//elsewhere.example/m.pth"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("caf\xe9", "caf\\xe9"),
        ("http://[x", None),
        ("//[", None),
    ],
)
def test_where_a_redirect_leads_is_logged(
    rough: Rough, proxy: Open, location: str, logged: str | None
) -> None:
    head = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    rough.scripts["/m.pth"] = raw(head.encode("latin-1"))
    there = proxy(rough.host)
    status = there.ask("GET", rough.url("/m.pth"))[0]
    (entry,) = there.log()
    if status == 502:  # refused as a header
        assert "\x1b" in location
        return
    assert entry.location == logged
    assert logged is not None or "no URL" in str(entry.reason)


def test_a_reason_and_headers_reach_the_job_as_they_are(rough: Rough, proxy: Open) -> None:
    """What belongs to the connection stays on it; nothing of an answer makes a second one."""
    head = (
        b"HTTP/1.1 200 Fine indeed\r\nContent-Length: 3\r\nETag: \"x\"\r\nKeep-Alive: 5\r\n"
        b"Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nProxy-Authenticate: Basic\r\n\r\n"
    )  # fmt: skip
    rough.scripts["/m.pth"] = raw(head + b"abcHTTP/1.1 200 OK\r\n\r\nsecond")
    there = proxy(rough.host)
    url = rough.url("/m.pth").encode()
    answer = there.say(b"GET " + url + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 Fine indeed\r\n")
    assert b'ETag: "x"' in answer or b'etag: "x"' in answer
    for gone in (b"keep-alive", b"hop", b"authenticate", b"second"):
        assert gone not in answer.lower(), gone


def test_the_body_of_head_is_none(rough: Rough, proxy: Open) -> None:
    rough.scripts["/m.pth"] = raw(OK + b"Content-Length: 1000\r\n\r\n")
    there = proxy(rough.host)
    assert there.ask("HEAD", rough.url("/m.pth")) == (200, "OK", b"")
    (entry,) = there.log()
    assert (entry.decision, entry.announced, entry.size) == ("allowed", 1000, 0)


def test_a_job_that_stops_reading_holds_nobody_for_long(rough: Rough, proxy: Open) -> None:
    rough.scripts["/m.pth"] = raw(OK + b"\r\n", bytes(1 << 20), again=64)
    there = proxy(rough.host, budget=1 << 40, bounds=QUICK)
    with there.connect() as connection:
        connection.sendall(f"GET {rough.url('/m.pth')} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        (entry,) = there.log()
        assert entry.reason == "the job hung up"


def test_what_a_job_left_in_flight_ends_with_it(rough: Rough, proxy: Open) -> None:
    rough.scripts["/m.pth"] = raw(OK + b"Content-Length: 9000\r\n\r\nabc", b"", pause=60)
    rough.scripts["/never"] = silent
    there = proxy(rough.host)
    for path in ("/m.pth", "/never"):
        asked = f"GET {rough.url(path)} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        threading.Thread(target=there.say, args=(asked,), daemon=True).start()
    for _ in range(500):
        if len(rough.requests) == 2:
            break
        time.sleep(0.01)
    started = time.monotonic()
    there.egress.settle()
    assert time.monotonic() - started < 5
    found = {entry.url: entry.decision for entry in there.egress.requests("job1")}
    assert found == {rough.url("/m.pth"): "cut", rough.url("/never"): "allowed"}
    there.egress.begin("job2")
    assert not there.egress.requests("job2")
