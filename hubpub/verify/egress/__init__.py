"""The only way out of the sandbox: an allow-list proxy in the parent that logs every request.

The supervisor opens the listening socket inside the sandbox's own network namespace and hands it
over; this serves it. A plain ``GET https://host/path`` asks the parent to make the TLS, so that it
sees the URL, the status and the body of everything ``torch.hub`` downloads. ``CONNECT`` remains for
clients that insist (requests, huggingface_hub): host and byte counts only.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import urllib.request
from collections.abc import Mapping

from hubpub.errors import CannotVerifyError
from hubpub.verify.egress.log import Bounds, Log, Request
from hubpub.verify.egress.route import Resolve, Routes, resolve
from hubpub.verify.hosts import Rule

__all__ = ["Bounds", "Egress", "Request"]

_POLL_S = 0.2
_DEFAULTS = Bounds()


class Egress:
    """The proxy and its log, for one sandbox at a time, and in it for one job at a time.

    Args:
        allowed: who may be asked.
        budget_bytes: what a job may receive.
        bounds: what else it may do.
        proxies: the host's own proxies by scheme; None means those of the environment.
        tls: whom to trust; None means the system's certificates.
        resolver: from host and port to addresses, as ``socket.getaddrinfo`` gives them.
    """

    def __init__(
        self,
        allowed: tuple[Rule, ...],
        budget_bytes: int,
        *,
        bounds: Bounds = _DEFAULTS,
        proxies: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        resolver: Resolve = resolve,
    ) -> None:
        self._routes = Routes(
            allowed,
            urllib.request.getproxies() if proxies is None else proxies,
            tls or ssl.create_default_context(),
            resolver,
        )
        self._log = Log(bounds, budget_bytes)
        self._slots = threading.BoundedSemaphore(bounds.at_once)
        self._listener: _Listener | None = None

    @property
    def received(self) -> int:
        """Bytes of bodies and tunnels that the job has received so far."""
        return self._log.received

    def serve(self, listener: socket.socket) -> None:
        """Answer on ``listener``, from a thread, until the next one or :meth:`close`.

        Raises:
            CannotVerifyError: a package that this needs is missing.
        """
        try:
            import h11  # noqa: F401
        except ImportError as error:
            raise CannotVerifyError(
                "the proxy needs the package h11", help="pip install 'hubpub[verify]'"
            ) from error
        self._stop()
        self._listener = _Listener(listener, self._log, self._routes, self._slots)

    def close(self) -> None:
        """Stop serving, end what is in flight, and close our end of the listening socket."""
        self._stop()
        self._log.end()

    def _stop(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def begin(self, job: str, *, offline: bool = False, down_bytes: int | None = None) -> None:
        """What comes from now on is of ``job``, with fresh budgets; ``offline``: all is refused.

        ``down_bytes`` is what this one may receive, where that is not what every job may.
        """
        self._log.begin(job, offline=offline, down_bytes=down_bytes)

    def settle(self) -> None:
        """End what a dead job left in flight or waiting, so that the next one is not blamed."""
        self._log.end()
        if self._listener is not None:
            self._listener.drain()

    def requests(self, job: str | None = None) -> tuple[Request, ...]:
        """The log, of one job or whole, in the order in which requests came."""
        return self._log.requests(job)


class _Listener:
    """A listening socket that somebody else made, and the thread that accepts on it."""

    def __init__(
        self, listener: socket.socket, log: Log, routes: Routes, slots: threading.BoundedSemaphore
    ) -> None:
        self._socket = listener.dup()
        self._socket.setblocking(False)
        self._log, self._routes, self._slots = log, routes, slots
        self._bell, self._ring = socket.socketpair()
        self._waiting = select.poll()
        self._waiting.register(self._socket, select.POLLIN)
        self._waiting.register(self._bell, select.POLLIN)
        self._accepting = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Accept nothing more."""
        self._ended.set()
        self._ring.close()
        self._thread.join()
        self._bell.close()
        self._socket.close()

    def drain(self) -> None:
        """Hang up on everyone who waits to be accepted."""
        with self._accepting:
            while (client := self._accept()) is not None:
                client.close()

    def _accept(self) -> socket.socket | None:
        with contextlib.suppress(OSError):
            return self._socket.accept()[0]
        return None

    def _loop(self) -> None:
        while not self._ended.is_set():
            if not self._slots.acquire(timeout=_POLL_S):
                continue
            taken = False
            try:
                if self._waiting.poll(_POLL_S * 1000):
                    taken = self._take()
            finally:
                if not taken:
                    self._slots.release()

    def _take(self) -> bool:
        """Accept one connection for the job that runs now; False where there is none of either."""
        with self._accepting:
            job = self._log.job
            client = self._accept()
        if client is None:
            return False
        if not job:
            client.close()
            return False
        try:
            threading.Thread(target=self._serve, args=(client, job), daemon=True).start()
        except RuntimeError:  # the machine has no thread left
            client.close()
            return False
        return True

    def _serve(self, client: socket.socket, job: str) -> None:
        from hubpub.verify.egress import connection

        try:
            connection.serve(client, job, self._log, self._routes)
        finally:
            client.close()
            self._slots.release()
