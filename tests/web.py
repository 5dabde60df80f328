"""All https on loopback: a server that answers for every host, and the proxy that leads there."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from proxying import Outer, certified

HOSTS = (
    "github.com", "*.github.com", "*.githubusercontent.com", "download.pytorch.org",
    "huggingface.co", "*.example.org", "*.example.com",
)  # fmt: skip
"""What the certificate is for."""


@dataclass(frozen=True)
class Web:
    """Answers https://HOST/PATH with the file HOST/PATH below ``root``, else with 404.

    Clients find it through ``environment``: a proxy to ask and a certificate to trust.
    """

    root: Path
    asked: Path
    proxy: str
    certificate: Path

    def environment(self) -> dict[str, str]:
        """Variables with which urllib, curl and hubpub go there for https."""
        return {
            "HTTPS_PROXY": f"http://{self.proxy}",
            "https_proxy": f"http://{self.proxy}",
            "SSL_CERT_FILE": str(self.certificate),
        }


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Web]:
    """Serve below ``folder``, which is made, for as long as the block lasts."""
    root, asked = folder / "web", folder / "asked"
    root.mkdir(parents=True)
    asked.touch()
    certificate, tls = certified(folder, ",DNS:".join(HOSTS).join(("DNS:", "")))
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(root, asked))
    http.socket = tls.wrap_socket(http.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    outer = Outer(http.server_address[1])
    try:
        yield Web(root, asked, outer.host, certificate)
    finally:
        outer.close()
        http.shutdown()
        http.server_close()
        thread.join()


def _handler(root: Path, asked: Path) -> type[BaseHTTPRequestHandler]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place = self.headers["Host"] + unquote(urlsplit(self.path).path)
            with lock, asked.open("a") as log:
                log.write(f"{self.command} {place}\n")
            file = root / place
            found = file.is_file()
            body = file.read_bytes() if found else b"Not Found\n"
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                self.send_response(200 if found else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815 (http.server's name)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    return Handler
