"""Bytes between the parent and what it does not trust: bounded in size and in time."""

from __future__ import annotations

import json
import os
import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hubpub.errors import CannotVerifyError

MESSAGE_BYTES = 1 << 17


@dataclass
class Capture:
    """One pipe out of a job: keeps the first ``keep`` bytes, counts them all."""

    descriptor: int
    keep: int
    kept: bytearray = field(default_factory=bytearray)
    total: int = 0

    def read(self) -> bool:
        """Take what is there; False when that is nothing, or the other end is closed."""
        try:
            data = os.read(self.descriptor, 1 << 16)
        except BlockingIOError:
            return False
        self.total += len(data)
        self.kept += data[: max(0, self.keep - len(self.kept))]
        return bool(data)


def send(control: socket.socket, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send one message, with open descriptors attached."""
    socket.send_fds(control, [json.dumps(message).encode()], list(descriptors))


def receive(control: socket.socket, timeout_s: float) -> tuple[dict[str, Any] | None, list[int]]:
    """One message and its descriptors; None when the other side is gone or silent for too long."""
    control.settimeout(max(0.001, timeout_s))
    try:
        data, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 4)
    except (TimeoutError, ConnectionError):
        return None, []
    return (json.loads(data) if data else None), list(descriptors)


def read_info(descriptor: int, timeout_s: float) -> dict[str, Any] | None:
    """Bwrap's ``--info-fd``, which arrives in several writes; None when it never becomes whole."""
    deadline, data = time.monotonic() + timeout_s, b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline - time.monotonic())):
            chunk = os.read(descriptor, 4096)
            data += chunk
            try:
                info: dict[str, Any] = json.loads(data)
            except ValueError:
                if not chunk:
                    return None
                continue
            return info
    return None


def pipe(keep: int) -> tuple[Capture, int]:
    """A pipe for a job: our end, never blocking, and the end to hand over.

    Raises:
        CannotVerifyError: no descriptor is left.
    """
    try:
        ours, theirs = os.pipe2(os.O_CLOEXEC)
    except OSError as error:
        raise CannotVerifyError(f"no pipe for a job: {error.strerror}") from error
    os.set_blocking(ours, False)
    return Capture(ours, keep), theirs
