"""What left the sandbox, and what each job may still spend: requests, bytes down and bytes up."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, replace

MIB = 1 << 20
URL_BYTES = 8192
"""Of a URL, a reason or a redirect's target in the log; a longer URL does not leave."""

OFFLINE = "this job has no network: what it needs was downloaded before"


@dataclass(frozen=True)
class Request:
    """One request as the parent saw it: a fact.

    ``decision`` is allowed, denied or cut (begun, and not ended as the server announced);
    ``announced`` the Content-Length, None where there was none; ``sha256`` of the body, None for a
    tunnel or a request that was not allowed. All text is printable ASCII of a bounded length.
    """

    job: str
    method: str
    url: str
    decision: str
    reason: str | None = None
    status: int | None = None
    size: int = 0
    announced: int | None = None
    sha256: str | None = None
    location: str | None = None
    number: int = 0

    @property
    def short(self) -> bool:
        """Whether the body ended before the length that its server had announced."""
        return self.decision == "cut" and self.announced is not None and self.size < self.announced


@dataclass(frozen=True)
class Bounds:
    """How much a job may ask for. Seconds, bytes and counts."""

    at_once: int = 64
    """Connections that are served at a time; others wait for one of them to end."""
    requests: int = 10_000
    """Of a job; one more fails it, and is not sent."""
    log_bytes: int = 8 * MIB
    """Of URLs in the log of a job."""
    run_log_bytes: int = 64 * MIB
    head_s: float = 30.0
    """Until a job has sent the whole head of its request."""
    answer_s: float = 60.0
    """Until a server is connected to and has sent the whole head of its answer."""
    idle_s: float = 60.0
    """Without ``slowest_bytes`` more of a body, or anything more through a tunnel."""
    slowest_bytes: int = 1024
    up_bytes: int = 4 * MIB
    """Sent through all tunnels of a job together."""
    settle_s: float = 2.0
    """For what a dead job left in flight."""


class Log:
    """The requests of a run, and the budgets of the job that runs now."""

    def __init__(self, bounds: Bounds, down_bytes: int) -> None:
        self.bounds = bounds
        self._down_bytes = down_bytes
        self._lock = threading.Lock()
        self._landed = threading.Condition(self._lock)
        self._flying: set[socket.socket] = set()
        self._entries: list[Request] = []
        self._arrived = self._written = 0
        self._reset("")

    def _reset(self, job: str) -> None:
        self._job = job
        self.received = 0
        self._down, self._up = self._down_bytes, self.bounds.up_bytes
        self._asked = self._of_job = 0
        self._full = self._offline = False

    @property
    def job(self) -> str:
        """The job that runs now; empty where none does."""
        return self._job

    def begin(self, job: str, *, offline: bool = False, down_bytes: int | None = None) -> None:
        """What comes from now on is of ``job``, and denied where that is ``offline``."""
        with self._lock:
            self._reset(job)
            self._offline = offline
            if down_bytes is not None:
                self._down = down_bytes

    def end(self) -> None:
        """No job runs: end what the last one left in flight, so that none is taken for the next."""
        with self._landed:
            self._job = ""
            for connection in self._flying:
                # Not SSLSocket's own: it would go on in the clear, in the middle of the TLS.
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
            self._landed.wait_for(lambda: not self._flying, self.bounds.settle_s)

    def fly(self, job: str, connection: socket.socket) -> bool:
        """Take note of a connection for :meth:`end`; False where its job has ended already."""
        with self._lock:
            if job and job == self._job:
                self._flying.add(connection)
                return True
            return False

    def land(self, connection: socket.socket) -> None:
        """A connection is at its end."""
        with self._landed:
            self._flying.discard(connection)
            self._landed.notify_all()

    def requests(self, job: str | None = None) -> tuple[Request, ...]:
        """The log, of one job or whole, in the order in which requests came."""
        with self._lock:
            found = [entry for entry in self._entries if job is None or entry.job == job]
        return tuple(sorted(found, key=lambda entry: entry.number))

    def arrive(self, job: str, method: str, url: str) -> Request:
        """A request with its place in the log; cut where ``job`` may ask for nothing more.

        Denied where it is offline.
        """
        bounds = self.bounds
        with self._lock:
            self._arrived += 1
            self._asked += 1
            entry = Request(job, method[:16], url, "allowed", number=self._arrived)
            if self._asked > bounds.requests:
                reason = f"more than {bounds.requests} requests of one job: the rest is refused"
            elif self._of_job > bounds.log_bytes or self._written > bounds.run_log_bytes:
                reason = "the log of requests is full: the rest is refused"
            elif self._offline:
                return replace(entry, decision="denied", reason=OFFLINE)
            else:
                return entry
            # One such entry says it; the flood behind it has no place in the log.
            number, self._full = 0 if self._full else self._arrived, True
            return replace(entry, decision="cut", reason=reason, number=number)

    def note(self, entry: Request) -> None:
        """Write a request that has ended into the log."""
        if not entry.number:
            return
        with self._lock:
            texts = (entry.url, entry.reason, entry.location)
            size = sum(len(text) for text in texts if text)
            self._written += size
            self._of_job += size if entry.job == self._job else 0
            self._entries.append(entry)

    def take(self, job: str, count: int) -> str | None:
        """Spend ``count`` bytes of what ``job`` may receive; why it may not, None where it may."""
        with self._lock:
            if job != self._job:
                return "the job has ended"
            self._down -= count
            self.received += count
            return None if self._down >= 0 else "the download limit is spent (--download-limit)"

    def send(self, job: str, count: int) -> str | None:
        """Spend ``count`` bytes of what ``job`` may send through tunnels; as :meth:`take`."""
        with self._lock:
            if job != self._job:
                return "the job has ended"
            self._up -= count
            most = self.bounds.up_bytes
            return None if self._up >= 0 else f"more than {most} bytes sent through tunnels"
