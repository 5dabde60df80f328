"""The proxy of a sandbox on a loopback port, and a client that says to it whatever it likes."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hubpub.verify.egress import Bounds, Egress, Request
from hubpub.verify.hosts import rules
from rough import Rough

QUICK = Bounds(head_s=0.5, answer_s=0.7, idle_s=0.5)
"""Times of a test that waits for them to pass."""


class Proxy:
    """An :class:`Egress` that serves ``job1``."""

    def __init__(self, *allowed: str, budget: int = 1 << 20, **options: Any) -> None:
        options.setdefault("proxies", {})
        self.egress = Egress(rules(allowed), budget, **options)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address: str
        self.port: int
        self.address, self.port = self.listener.getsockname()
        self.egress.serve(self.listener)
        self.egress.begin("job1")

    def close(self) -> None:
        self.egress.close()
        self.listener.close()

    def ask(self, method: str, target: str, **headers: str) -> tuple[int, str, bytes]:
        """Status, reason and body, as far as it came."""
        connection = http.client.HTTPConnection(self.address, self.port, timeout=10)
        with contextlib.closing(connection):
            connection.putrequest(method, target, skip_host=True)
            for name, value in {"Host": "lies.example", **headers}.items():
                connection.putheader(name, value)
            connection.endheaders()
            response = connection.getresponse()
            body = b""
            try:
                while piece := response.read(1 << 16):
                    body += piece
            except http.client.IncompleteRead as error:
                body += error.partial
        return response.status, response.reason, body

    def connect(self) -> socket.socket:
        return socket.create_connection((self.address, self.port), timeout=10)

    def say(self, *pieces: bytes, pause: float = 0.0) -> bytes:
        """Send bytes, however wrong, and return all that comes back."""
        with self.connect() as connection:
            with contextlib.suppress(OSError):
                for piece in pieces:
                    connection.sendall(piece)
                    time.sleep(pause)
            return read_all(connection)

    def log(self, count: int = 1) -> tuple[Request, ...]:
        """The log once it has ``count`` entries: the proxy writes them from threads of its own."""
        for _ in range(500):
            if len(self.egress.requests("job1")) >= count:
                break
            time.sleep(0.01)
        return self.egress.requests("job1")


def read_all(connection: socket.socket) -> bytes:
    """What comes until the end, or until the connection is reset."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(1 << 16):
            data += piece
    return data


Open = Callable[..., Proxy]


@pytest.fixture
def proxy() -> Iterator[Open]:
    """``proxy("127.0.0.1:80", budget=...)``: a proxy that allows these hosts; closed at the end."""
    with contextlib.ExitStack() as stack:

        def start(*allowed: str, **options: Any) -> Proxy:
            return stack.enter_context(contextlib.closing(Proxy(*allowed, **options)))

        yield start


def resolving(**addresses: str) -> Callable[[str, int], list[tuple[Any, ...]]]:
    """A resolver that knows these names (an underscore is a dot), each with comma-parted addresses.

    Others do not resolve.
    """
    known: Mapping[str, str] = {name.replace("_", "."): text for name, text in addresses.items()}

    def resolve(host: str, port: int) -> list[tuple[Any, ...]]:
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                socket.IPPROTO_TCP,
                "",
                (address, port, 0, 0) if ":" in address else (address, port),
            )
            for address in known[host].split(",")
        ]

    return resolve


class Outer(Rough):
    """A proxy of the host's own: it answers http, and leads all tunnels to one port."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.to = port

    def _answer(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += connection.recv(1)
            first, *lines = head.decode().split("\r\n")
            method, target, _ = first.split(" ", 2)
            headers = dict(line.lower().split(": ", 1) for line in lines if line)
            self.requests.append((method, target, headers))
            script = self.scripts.get(target)
            if script is not None:
                script(connection, method, headers, 0)
                return
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with socket.create_connection(("127.0.0.1", self.to)) as server:
                back = threading.Thread(target=pump, args=(server, connection), daemon=True)
                back.start()
                pump(connection, server)
                back.join(5)


def pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def certified(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate for ``DNS:name`` or ``IP:address``, and what a server shows it with."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = [
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        "-subj", "/CN=test", "-addext", f"subjectAltName={name}",
        "-keyout", str(key), "-out", str(certificate),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return certificate, server
