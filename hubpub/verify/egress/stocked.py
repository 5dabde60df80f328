"""Answers for which no server is asked: the caller's own files, and what the run has kept.

The log's entry says so in ``source``, and all else in it is as true as of an answer that came by
the network: the body is hashed here while it is passed on, and counts in what a job may download.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

import h11

from hubpub.verify.egress.exchange import Exchange, RefusedError, clean
from hubpub.verify.egress.kept import Answer, Kept, Key
from hubpub.verify.egress.log import KEPT, SUPPLIED, Request
from hubpub.verify.egress.passing import pass_body, pass_head
from hubpub.verify.egress.supplied import Supplied

_CHUNK = 1 << 16


def replay(exchange: Exchange, entry: Request, key: Key, answer: Answer, kept: Kept) -> Request:
    """Give the job what the run has kept; its entry."""
    exchange.log.ask(exchange.job, key, answer.leads_to)
    entry = replace(
        entry, status=answer.status, announced=answer.announced, location=answer.location,
        source=KEPT,
    )  # fmt: skip
    head = h11.Response(
        status_code=answer.status, headers=list(answer.headers), reason=answer.reason
    )
    if not pass_head(exchange, head):
        return replace(entry, reason="the job hung up")
    return pass_body(exchange, entry, kept.body(answer))


def supply(
    exchange: Exchange, entry: Request, request: h11.Request, name: str, supplied: Supplied
) -> Request:
    """Give the job a file of the caller's; its entry.

    Raises:
        RefusedError: it cannot be read.
    """
    try:
        # No file of the caller's that turns into a pipe holds the thread that serves it.
        descriptor = os.open(supplied.folder / name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        reason = f"{name} in the --checkpoints directory cannot be read: {error.strerror}"
        raise RefusedError(403, clean(reason)) from None
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise RefusedError(403, "what answers for it in --checkpoints is no plain file")
        reason = clean(f"{name} of --checkpoints")
        entry = replace(entry, status=200, announced=found.st_size, source=SUPPLIED, reason=reason)
        headers = [
            (b"Content-Type", b"application/octet-stream"),
            (b"Content-Length", str(found.st_size).encode()),
            (b"Connection", b"close"),
        ]
        if not pass_head(exchange, h11.Response(status_code=200, headers=headers, reason=b"OK")):
            return replace(entry, reason="the job hung up")
        pieces = iter(()) if request.method == b"HEAD" else _pieces(file, found.st_size)
        return pass_body(exchange, entry, pieces)


def _pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The first ``size`` bytes of a file, which were announced.

    Raises:
        OSError: there are no longer so many.
    """
    while size:
        piece = file.read(min(size, _CHUNK))
        if not piece:
            raise OSError("the file has become shorter")
        size -= len(piece)
        yield piece
