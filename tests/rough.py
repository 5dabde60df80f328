"""Servers of bare sockets, for answers that no web server gives: late, lying, or none."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

Script = Callable[[socket.socket, str, dict[str, str], int], None]
"""What a server does with a connection: method, headers, how often the path was asked before."""
SIZE = 5000
FILE = b"PK\x03\x04" + b"\0" * (SIZE - 4)


def reply(status: int = 200, body: bytes = FILE, **headers: str) -> Script:
    """Answer as HTTP has it; headers win, and may lie."""

    def script(connection: socket.socket, method: str, _: dict[str, str], __: int) -> None:
        said = {"Content-Length": str(len(body))} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in said.items() if value)
        connection.sendall(f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode())
        if method != "HEAD":
            connection.sendall(body)

    return script


def raw(*pieces: bytes, pause: float = 0.0, again: int = 1) -> Script:
    """Send the first piece, then the others ``again`` times, however wrong they are."""

    def script(connection: socket.socket, *__: object) -> None:
        with suppress(OSError):
            connection.sendall(pieces[0])
            for _ in range(again):
                for piece in pieces[1:]:
                    time.sleep(pause)
                    connection.sendall(piece)

    return script


def by_method(**scripts: Script) -> Script:
    def script(connection: socket.socket, method: str, headers: dict[str, str], n: int) -> None:
        scripts[method](connection, method, headers, n)

    return script


def in_turn(*scripts: Script) -> Script:
    def script(connection: socket.socket, method: str, headers: dict[str, str], n: int) -> None:
        scripts[min(n, len(scripts) - 1)](connection, method, headers, n)

    return script


def ranged(connection: socket.socket, method: str, headers: dict[str, str], n: int) -> None:
    """A good server: 206 for a part."""
    if method == "HEAD":
        return reply()(connection, method, headers, n)
    assert headers["range"] == "bytes=0-63"
    part = reply(206, FILE[:64], Content_Range=f"bytes 0-63/{SIZE}")
    return part(connection, method, headers, n)


def silent(connection: socket.socket, *_: object) -> None:
    with suppress(OSError):
        connection.recv(1)  # until the client goes


def dribble(connection: socket.socket, *__: object) -> None:
    with suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        for _ in range(200):
            connection.sendall(b"x")
            time.sleep(0.05)


def endless(connection: socket.socket, *_: object) -> None:
    with suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for index in range(100_000):
            connection.sendall(f"X-{index}: y\r\n".encode())


def dropped(connection: socket.socket, *_: object) -> None:
    connection.close()


def rubbish(connection: socket.socket, *_: object) -> None:
    connection.sendall(b"\0\1SSH-2.0-hello\r\n\r\n")


class Listener:
    """A listening socket on the loopback, whose connections are each answered in a thread.

    Its own thread has ended when it is closed. One that still waits in ``accept`` for a file
    descriptor that is closed waits on whoever gets that number next once the kernel begins its
    call again (SIGCONT, or a machine that was paused), and takes the connections of another server.
    """

    def __init__(self, talk: Callable[[socket.socket], object]) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._socket.getsockname()[1])
        self._talk = talk
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Accept nothing more; what was accepted is answered to its end."""
        self._socket.shutdown(socket.SHUT_RDWR)  # accept returns, with an error
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            self._talk(connection)


@dataclass
class Rough:
    """A server of bare sockets that follows a script for each path, and counts."""

    scripts: dict[str, Script] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._listener = Listener(self._talk)
        self.port = self._listener.port

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"

    def close(self) -> None:
        self._listener.close()

    def _talk(self, connection: socket.socket) -> None:
        if self.tls is None:
            self._answer(connection)
        else:
            with self.tls.wrap_socket(connection, server_side=True) as secured:
                self._answer(secured)

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError):
            connection.settimeout(10)
            data = b""
            while b"\r\n\r\n" not in data:
                part = connection.recv(4096)
                if not part:
                    return
                data += part
            first, *lines = data.decode().split("\r\n")
            method, target, _ = first.split(" ", 2)
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines if line)
            }
            with self._lock:
                self.requests.append((method, target, headers))
                count = self._counts.get(target, 0)
                self._counts[target] = count + 1
            self.scripts.get(target, reply(404, b"gone"))(connection, method, headers, count)
