"""Whatever bytes a job or a server sends: the proxy goes on, and what it wrote down is true."""

from __future__ import annotations

import contextlib
import hashlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hubpub.verify.egress import Bounds, Request
from proxying import Proxy, read_all
from rough import Rough

QUICK = Bounds(head_s=0.3, answer_s=0.3, idle_s=0.3, requests=10**9, log_bytes=10**9)
PIECES = st.sampled_from(
    [
        *(b"GET ", b"HEAD ", b"CONNECT ", b"POST ", b" HTTP/1.1", b" HTTP/1.0", b" HTTP/9.9"),
        *(b"HTTP/1.1 200 OK", b"HTTP/1.1 100 C", b"HTTP/1.0 302 F", b"HTTP/1.1 204 N"),
        *(b"http://x/", b"http://HERE/x", b"https://HERE", b"HERE", b"/x", b"user@", b"[::1]:80"),
        *(b"Host: x", b"Content-Length: 5", b"Content-Length: 0", b"Content-Length: 99"),
        *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip", b"Connection: close"),
        *(b"Location: //[", b"Location: /y", b"Content-Encoding: gzip", b"Upgrade: h2c"),
        *(b"\r\n", b"\r\n\r\n", b"\n", b"\r", b" ", b"\t", b":", b"\0", b"\xff", b"\x1b[31m"),
        *(b"5\r\nabcde\r\n", b"0\r\n\r\n", b"-1\r\n", b"abcde", b"x" * 5000),
    ]
)
MESSAGES = st.lists(PIECES | st.binary(max_size=8), max_size=14).map(b"".join)
HEADS = st.lists(PIECES, max_size=5).map(b"\r\n".join)
ANSWERS = MESSAGES | st.builds(
    lambda head, body: b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + body, HEADS, MESSAGES
)
FUZZ = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass
class Stage:
    """A proxy that may ask one server, which answers every request with ``answer``."""

    server: Rough
    proxy: Proxy
    answer: bytes = b""

    def ask(self, request: bytes) -> tuple[bytes, list[Request]]:
        """What the job got, and what was written down of it."""
        self.proxy.egress.begin("job1")
        with self.proxy.connect() as connection:
            with contextlib.suppress(OSError):
                connection.sendall(request.replace(b"HERE", self.server.host.encode()))
                connection.shutdown(socket.SHUT_WR)
            got = read_all(connection)
        self.proxy.egress.settle()
        log = [entry for entry in self.proxy.egress.requests() if entry.number > self.seen]
        self.seen = max([self.seen, *(entry.number for entry in log)])
        return got, log

    seen: int = 0


class Same(Rough):
    """A server that gives the stage's answer, whatever it is asked."""

    stage: Stage

    def _answer(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.settimeout(5)
            connection.recv(1 << 16)
            connection.sendall(self.stage.answer)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    server = Same()
    with contextlib.closing(server), contextlib.closing(Proxy(server.host, bounds=QUICK)) as proxy:
        server.stage = Stage(server, proxy)
        yield server.stage


def harmless(entry: Request) -> bool:
    texts = (entry.method, entry.url, entry.reason or "", entry.location or "")
    return all(" " <= char <= "~" for text in texts for char in text)


@FUZZ
@given(MESSAGES)
@example(b"GET http://HERE/x HTTP/1.1\r\nHost: x\r\n\r\nGET http://HERE/x HTTP/1.1\r\n\r\n")
@example(b"CONNECT HERE HTTP/1.1\r\nHost: x\r\n\r\nabcde")
def test_any_request(stage: Stage, request: bytes) -> None:
    stage.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde"
    got, log = stage.ask(request)
    assert len(log) <= 1
    assert bool(log) is bool(request)
    for entry in log:
        assert harmless(entry), entry
        assert "defect" not in str(entry.reason), entry
        if entry.decision == "allowed" and entry.method == "GET":
            assert got.endswith(b"abcde")


@FUZZ
@given(ANSWERS)
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde")
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 99\r\n\r\n0\r\n\r\n")
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nabcde")
def test_any_answer(stage: Stage, answer: bytes) -> None:
    stage.answer = answer
    got, (entry,) = stage.ask(b"GET http://HERE/x HTTP/1.0\r\n\r\n")
    assert harmless(entry), entry
    assert "defect" not in str(entry.reason), entry
    if entry.status is None:
        assert (entry.size, entry.sha256) == (0, None)
        assert got.startswith(b"HTTP/1.1 502 hubpub: ")
        return
    body = got.partition(b"\r\n\r\n")[2]
    assert entry.sha256 == hashlib.sha256(body).hexdigest()
    assert entry.size == len(body)
    if entry.announced is not None and entry.status not in {204, 304}:
        assert (entry.size < entry.announced) is (entry.decision == "cut")
