"""What servers answered in this run, kept by content: each file is asked of its server once.

An answer goes to another job as it came, where that one asks for the same URL with the same
headers: of a request no more reaches a server than its key has, so ``Vary`` is answered. What
``Cache-Control: no-store`` or ``Vary: *`` forbids is not kept (RFC 9111); how long the rest is
fresh does not matter, for a run proves one moment. A redirect is only replayed where what it leads
to is kept too, as its target may be signed and have expired.

No job sees or writes these files, and each body is hashed again while it is replayed.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

Key = bytes
"""Digest of a URL and of the headers that reach its server."""
Headers = tuple[tuple[bytes, bytes], ...]

REDIRECTS = frozenset([301, 302, 303, 307, 308])
_OK = 200
_MOST, _HOPS, _CHUNK = 1000, 32, 1 << 16
_POLL_S = 0.2
_STALLED_S, _EXPECTED_S = 15.0, 2.0
"""Without a byte of another lane's answer, and until a job follows a redirect, for who waits."""


def key(url: str, headers: Iterable[tuple[bytes, bytes]]) -> Key:
    """The key of a GET for ``url``, as one spells it, that is sent with ``headers``."""
    return hashlib.sha256(repr((url, sorted(headers))).encode()).digest()


@dataclass(frozen=True)
class Answer:
    """An answer as the job gets it. ``size`` and ``sha256`` are of its body.

    ``leads_to`` is the key of what a redirect names, asked with the same headers.
    """

    status: int
    reason: bytes
    headers: Headers
    announced: int | None = None
    location: str | None = None
    leads_to: Key | None = None
    size: int = 0
    sha256: str = ""

    @property
    def may_be_kept(self) -> bool:
        """Whether it is a whole file, or a redirect to one, and its server lets it be kept."""
        if self.status != _OK and (self.status not in REDIRECTS or self.leads_to is None):
            return False
        said = {(name.lower(), word) for name, value in self.headers for word in _words(value)}
        return not said & {(b"cache-control", b"no-store"), (b"vary", b"*")}


def _words(value: bytes) -> Iterator[bytes]:
    return (word.strip().lower() for word in value.split(b","))


class Kept:
    """The answers of one run, of all its lanes; ``folder`` is made here, for the parent alone."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        folder.mkdir(mode=0o700)
        self.folder = folder
        self._left = most_bytes
        self._changed = threading.Condition()
        self._answers: dict[Key, Answer] = {}
        self._contents: set[str] = set()
        self._flights: dict[Key, Flight] = {}
        self._expected: dict[Key, float] = {}
        self._numbers = itertools.count()

    def find(self, key: Key) -> Answer | None:
        """What is kept of ``key``, with all that it leads to."""
        with self._changed:
            return self._whole(key)

    def wait(self, key: Key, goes_on: Callable[[], bool]) -> Answer | Flight:
        """What is kept of ``key``, once another lane that is at it has it; else it is ours to get.

        Waits for nobody who gets nothing, nor where ``goes_on`` says that it is not to be waited.
        """
        with self._changed:
            while (answer := self._whole(key)) is None:
                if not self._comes(key) or not goes_on():
                    flight = Flight(self, key, self.folder / f"part{next(self._numbers)}")
                    self._flights[key] = flight
                    self._expected.pop(key, None)
                    return flight
                self._changed.wait(_POLL_S)
            return answer

    def body(self, answer: Answer) -> Iterator[bytes]:
        """The body of what is kept, piece by piece.

        Raises:
            OSError: it cannot be read, or is another than was kept.
        """
        digest = hashlib.sha256()
        with (self.folder / answer.sha256).open("rb") as file:
            while piece := file.read(_CHUNK):
                digest.update(piece)
                yield piece
        if digest.hexdigest() != answer.sha256:
            raise OSError("the copy that the run kept has changed")

    def _steps(self, key: Key) -> Iterator[Key]:
        """``key``, and what redirects that are kept lead to from there."""
        step: Key | None = key
        for _ in range(_HOPS):
            if step is None:
                return
            yield step
            answer = self._answers.get(step)
            step = answer.leads_to if answer is not None else None

    def _whole(self, key: Key) -> Answer | None:
        *_, last = self._steps(key)
        end = self._answers.get(last)
        return self._answers.get(key) if end is not None and end.status == _OK else None

    def _comes(self, key: Key) -> bool:
        """Whether another lane is at it, or at what it leads to."""
        now = time.monotonic()
        for step in self._steps(key):
            flight = self._flights.get(step)
            if flight is not None and flight.moved_at + _STALLED_S > now:
                return True
            if step != key and self._expected.get(step, now) > now:
                return True
        return False

    def reserve(self, count: int) -> bool:
        """Take ``count`` bytes of the disk that is left; False where there are not so many."""
        with self._changed:
            fits = count <= self._left
            self._left -= count if fits else 0
            return fits

    def land(self, flight: Flight, answer: Answer | None) -> bool:
        """A flight is at its end, with ``answer`` in its part where that is whole.

        Returns whether it is kept, and its server will not be asked again.
        """
        with self._changed:
            kept = answer is not None and self._keep(flight, answer)
            if not kept:
                flight.part.unlink(missing_ok=True)
                self._left += flight.reserved
            if self._flights.get(flight.key) is flight:
                del self._flights[flight.key]
            self._changed.notify_all()
            return kept

    def _keep(self, flight: Flight, answer: Answer) -> bool:
        known = self._answers.get(flight.key)
        # A redirect that is asked anew may lead elsewhere: then the newest counts.
        if len(self._answers) >= _MOST if known is None else known.status == _OK:
            return False
        if answer.sha256 in self._contents:
            flight.part.unlink()
            self._left += flight.reserved
        else:
            try:
                flight.part.replace(self.folder / answer.sha256)
            except OSError:
                return False
            self._contents.add(answer.sha256)
        self._answers[flight.key] = answer
        if answer.leads_to is not None:
            now = time.monotonic()
            self._expected = {name: at for name, at in self._expected.items() if at > now}
            self._expected[answer.leads_to] = now + _EXPECTED_S
        return True


class Flight:
    """An answer on its way to a job, and its copy. Used by one thread, and ended by it."""

    def __init__(self, kept: Kept, key: Key, part: Path) -> None:
        self._kept, self.key, self.part = kept, key, part
        self.moved_at = time.monotonic()
        self.reserved = 0
        self._answer: Answer | None = None
        self._file: BinaryIO | None = None
        self._landed = False

    def begin(self, answer: Answer) -> None:
        """Copy the body of ``answer``, where that may be kept and there is room for it."""
        self.moved_at = time.monotonic()
        size = answer.announced or 0
        if answer.may_be_kept and self._kept.reserve(size):
            self.reserved = size
            self._answer = answer
            with contextlib.suppress(OSError):
                self._file = self.part.open("xb")
        if self._file is None:
            self.end()

    def write(self, piece: bytes) -> None:
        """Copy a piece of the body; where there is no room for it, nothing is kept."""
        self.moved_at = time.monotonic()
        if self._file is None:
            return
        more = self._file.tell() + len(piece) - self.reserved
        if more > 0:
            if not self._kept.reserve(more):
                self.end()
                return
            self.reserved += more
        try:
            self._file.write(piece)
        except OSError:
            self.end()

    def keep(self, size: int, sha256: str) -> bool:
        """All of the body came; whether it is kept."""
        if self._file is None or self._answer is None:
            return False
        answer = self._answer
        whole = Answer(
            answer.status, answer.reason, answer.headers, answer.announced, answer.location,
            answer.leads_to, size, sha256,
        )  # fmt: skip
        try:
            self._file.close()
        except OSError:
            return False
        self._file, self._landed = None, True
        return self._kept.land(self, whole)

    def end(self) -> None:
        """Nothing more comes; what is not kept by now is dropped."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()
        if not self._landed:
            self._landed = True
            self._kept.land(self, None)
