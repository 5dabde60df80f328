"""``GET`` and ``HEAD`` of an absolute URL: the parent asks, and sees everything of the answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urljoin

import h11

from hubpub.verify.egress.exchange import VERSIONS, Exchange, RefusedError, refuse_body
from hubpub.verify.egress.kept import REDIRECTS, Answer, Flight, Key, key
from hubpub.verify.egress.log import URL_BYTES, Request
from hubpub.verify.egress.passing import pass_body, pass_head
from hubpub.verify.egress.place import Place, read_url, written
from hubpub.verify.egress.route import HEAD_CHUNK, Upstream, receive
from hubpub.verify.egress.stocked import replay, supply

_PASSED_ON = frozenset(
    [b"accept", b"user-agent", b"range", b"if-none-match", b"if-modified-since", b"if-range"]
)
_OF_A_PART = frozenset([b"range", b"if-none-match", b"if-modified-since", b"if-range"])
_HOP_BY_HOP = frozenset(
    [
        *(b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-connection"),
        *(b"te", b"trailer", b"transfer-encoding", b"upgrade"),
    ]
)
_ANSWER_HEAD_BYTES = 1 << 15
_MOST_INTERIM = 16
_PROXY_LOGIN = 407


def answer(exchange: Exchange, entry: Request, request: h11.Request) -> Request:
    """Fetch the URL for the job and pass the answer on, hashing the body; its entry.

    Raises:
        RefusedError: it does not leave, or there is no answer.
    """
    if request.method not in {b"GET", b"HEAD"}:
        raise RefusedError(403, "only GET and HEAD leave the sandbox")
    refuse_body(request)
    if len(request.target) > URL_BYTES:
        raise RefusedError(403, f"a URL of more than {URL_BYTES} bytes does not leave the sandbox")
    place = read_url(request.target.decode("ascii"))
    if place is None:
        raise RefusedError(403, "only absolute http:// and https:// URLs leave the sandbox")
    supplied, kept = exchange.stock.supplied, exchange.stock.kept
    name = supplied.find(place) if supplied is not None else None
    if supplied is not None and name is not None:
        return supply(exchange, entry, request, name, supplied)
    asked = _key(place, request)
    if kept is None or asked is None:
        return _fetch(exchange, entry, request, place)
    first = exchange.log.ask(exchange.job, asked)
    found = kept.wait(asked, lambda: first and exchange.log.job == exchange.job)
    if isinstance(found, Answer):
        # Who downloads again does so as a user; but where a replayed redirect led may be no more.
        if first or exchange.log.was_led(asked):
            return replay(exchange, entry, asked, found, kept)
        return _fetch(exchange, entry, request, place)
    try:
        if exchange.log.job != exchange.job:
            raise RefusedError(502, "the job has ended", "allowed")
        return _fetch(exchange, entry, request, place, found)
    finally:
        found.end()


def _key(place: Place, request: h11.Request) -> Key | None:
    """What an answer is kept under; None where it is of a part, or has no body."""
    sent = [(name, value) for name, value in request.headers if name in _PASSED_ON]
    if request.method != b"GET" or any(name in _OF_A_PART for name, _ in sent):
        return None
    return key(place.url, sent)


def _fetch(
    exchange: Exchange,
    entry: Request,
    request: h11.Request,
    place: Place,
    flight: Flight | None = None,
) -> Request:
    """Ask the server, and pass on what it answers; ``flight`` keeps a copy."""
    upstream = exchange.open(place, secure=place.scheme == "https")
    with exchange.held(upstream):
        asking = _Asking(exchange, upstream)
        response = asking.ask(place, request)
        entry = _described(entry, response)
        head = _for_the_job(response)
        if flight is not None and not asking.unbounded:
            flight.begin(_answer(entry, head, request, place))
        if not pass_head(exchange, head):
            return replace(entry, reason="the job hung up")
        return pass_body(exchange, entry, asking.body(), unbounded=asking.unbounded, flight=flight)


def _answer(entry: Request, head: h11.Response, request: h11.Request, place: Place) -> Answer:
    """An answer to be kept, its body aside."""
    leads_to = None
    if head.status_code in REDIRECTS and entry.location is not None:
        target = read_url(urljoin(place.url, entry.location))
        leads_to = _key(target, request) if target is not None else None
    headers = tuple((bytes(name), bytes(value)) for name, value in head.headers)
    return Answer(
        head.status_code, bytes(head.reason), headers, entry.announced, entry.location, leads_to
    )


class _Asking:
    """The question to the server, and its answer piece by piece.

    ``unbounded``: only the end of the connection ends the body, so it cannot be seen to be short.
    """

    def __init__(self, exchange: Exchange, upstream: Upstream) -> None:
        self._upstream = upstream
        self._bounds = exchange.log.bounds
        self.unbounded = False
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_ANSWER_HEAD_BYTES)

    def ask(self, place: Place, request: h11.Request) -> h11.Response:
        """Send the request, of whose headers only what reading needs goes along."""
        until = time.monotonic() + self._bounds.answer_s
        target = place.url if self._upstream.absolute else place.target
        sent = [(name, value) for name, value in request.headers if name in _PASSED_ON]
        headers = [
            (b"Host", place.authority.encode()),
            *sent,
            (b"Accept-Encoding", b"identity"),
            (b"Connection", b"close"),
            *((name.encode(), value.encode()) for name, value in self._upstream.headers),
        ]
        asked = h11.Request(method=request.method, target=target, headers=headers)
        data = self._http.send(asked) or b""
        data += self._http.send(h11.EndOfMessage()) or b""
        try:
            self._upstream.connection.sendall(data)
            response = self._response(until)
        except TimeoutError as error:
            raise RefusedError(502, "it does not answer in time", "allowed") from error
        except h11.RemoteProtocolError as error:
            raise RefusedError(502, f"no HTTP answer: {error}", "allowed") from error
        except OSError as error:
            raise RefusedError(502, f"the connection fails: {error}", "allowed") from error
        if self._upstream.absolute and response.status_code == _PROXY_LOGIN:
            raise RefusedError(502, "HTTP_PROXY of the environment answers 407", "allowed")
        found = dict(response.headers)
        self.unbounded = b"transfer-encoding" not in found and b"content-length" not in found
        return response

    def _response(self, until: float) -> h11.Response:
        interim = 0
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                data = receive(self._upstream.connection, until, HEAD_CHUNK)
                self._http.receive_data(data)
            elif isinstance(event, h11.Response) and event.http_version in VERSIONS:
                return event
            elif isinstance(event, h11.InformationalResponse) and interim < _MOST_INTERIM:
                interim += 1
            else:
                raise RefusedError(502, "no HTTP answer", "allowed")

    def body(self) -> Iterator[bytes]:
        """The body, piece by piece.

        Raises:
            h11.RemoteProtocolError: it ends before its end.
            OSError: so does the connection; TimeoutError where too little comes.
        """
        bounds = self._bounds
        until, came = time.monotonic() + bounds.idle_s, 0
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                if came >= bounds.slowest_bytes:
                    until, came = time.monotonic() + bounds.idle_s, 0
                data = receive(self._upstream.connection, until)
                came += len(data)
                self._http.receive_data(data)
            elif isinstance(event, h11.Data):
                yield bytes(event.data)
            else:
                return


def _described(entry: Request, response: h11.Response) -> Request:
    """``entry`` with what the head of the answer says."""
    found = dict(response.headers)
    announced = None
    if b"transfer-encoding" not in found and b"content-length" in found:
        announced = int(found[b"content-length"])
    entry = replace(entry, status=response.status_code, announced=announced)
    if b"location" not in found:
        return entry
    location = written(found[b"location"], URL_BYTES)
    try:
        urljoin(entry.url, location)
    except ValueError:
        return replace(entry, reason=f"redirects to what is no URL: {location}"[:URL_BYTES])
    return replace(entry, location=location)


def _for_the_job(response: h11.Response) -> h11.Response:
    found = dict(response.headers)
    dropped = {word.strip().lower() for word in found.get(b"connection", b"").split(b",")}
    dropped |= _HOP_BY_HOP
    if b"transfer-encoding" in found:
        dropped.add(b"content-length")  # which the chunks overrule
    headers = [(name, value) for name, value in response.headers if name not in dropped]
    headers.append((b"Connection", b"close"))
    return h11.Response(
        status_code=response.status_code, headers=headers, reason=bytes(response.reason)
    )
