"""An answer on its way to the job: its head, then its body, which is hashed as it goes by."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator
from dataclasses import replace

import h11

from hubpub.verify.egress.exchange import Exchange, RefusedError
from hubpub.verify.egress.kept import Flight
from hubpub.verify.egress.log import KEPT, Request


def pass_head(exchange: Exchange, head: h11.Response) -> bool:
    """Pass the head on; False where the job hung up.

    Raises:
        RefusedError: no job can be given such an answer.
    """
    try:
        exchange.pass_on(exchange.http.send(head))
    except h11.LocalProtocolError as error:
        raise RefusedError(502, f"no HTTP answer: {error}", "allowed") from error
    except OSError:
        return False
    return True


def pass_body(
    exchange: Exchange,
    entry: Request,
    body: Iterator[bytes],
    *,
    unbounded: bool = False,
    flight: Flight | None = None,
) -> Request:
    """Pass the body on and return its entry. Its end is passed on only where all of it came.

    Args:
        exchange: with the job.
        entry: what is known from the head.
        body: the pieces; it raises where they end before their end.
        unbounded: only the end of the connection ends the body, so it cannot be seen to be short.
        flight: gets a copy, which is kept where all of the body came, whether or not the job still
            waits for its end.
    """
    digest, size, cut, gone = hashlib.sha256(), 0, None, None
    try:
        for piece in body:
            cut = exchange.log.take(entry.job, len(piece))
            if cut is not None:
                break
            digest.update(piece)
            size += len(piece)
            if flight is not None:
                flight.write(piece)
            try:
                exchange.pass_on(exchange.http.send(h11.Data(data=piece)))
            except OSError:
                gone = "the job hung up"
                break
        else:
            if unbounded:
                # The end of the job may have made this one.
                cut = exchange.log.take(entry.job, 0)
            if flight is not None and flight.keep(size, digest.hexdigest()):
                entry = replace(entry, source=KEPT)
            try:
                exchange.pass_on(exchange.http.send(h11.EndOfMessage()))
            except OSError:
                gone = "the job hung up"
    except TimeoutError:
        bounds = exchange.log.bounds
        cut = f"less than {bounds.slowest_bytes} bytes in {bounds.idle_s:g} seconds"
    except h11.RemoteProtocolError as error:
        cut = f"ended early: {error}"
    except (OSError, ssl.SSLError) as error:
        cut = f"ended early: {error}"
    if cut is not None and entry.announced is not None:
        cut += f", after {size} of {entry.announced} bytes"
    return replace(
        entry,
        size=size,
        sha256=digest.hexdigest(),
        decision="allowed" if cut is None else "cut",
        reason=cut or gone or entry.reason,
    )
