"""URLs read in one way only, and what strangers sent written down."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hubpub.verify.egress.place import Place, read_authority, read_url, written

MAPPED = str(ipaddress.IPv6Address("::ffff:127.0.0.1"))  # releases of Python spell it in two ways


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://a.b", Place("http", "a.b", 80, "/")),
        ("HTTPS://A.b./x", Place("https", "a.b", 443, "/x")),
        ("http://a.b:8080/x?y=z", Place("http", "a.b", 8080, "/x?y=z")),
        ("http://a.b?y", Place("http", "a.b", 80, "/?y")),
        ("http://a.b/x#@evil/", Place("http", "a.b", 80, "/x")),
        ("http://a.b#@evil/", Place("http", "a.b", 80, "/")),
        ("http://a.b/x@evil//http://y", Place("http", "a.b", 80, "/x@evil//http://y")),
        ("http://[::1]:8080/", Place("http", "::1", 8080, "/")),
        ("http://[0:0::1]/", Place("http", "::1", 80, "/")),
        ("http://[::ffff:127.0.0.1]/", Place("http", MAPPED, 80, "/")),
        ("http://a_b.c/", Place("http", "a_b.c", 80, "/")),
        *(
            (text, None)
            for text in [
                "", "/", "/x", "//a/x", "http:/a", "http:a", "http://", "http:///x", "http://:80/",
                "ftp://a/", "file:///etc/passwd", "javascript://a/", "gopher://a/", "ws://a/",
                "http://user@a/", "http://user:word@a/", "http://@a/", "http://a@b@c/",
                "http://a.b\\@evil/", "http://a.b\\.evil/", "http://a.b%2eevil/", "http://a%00.b/",
                "http://a.b:/", "http://a.b:0/", "http://a.b:65536/", "http://a.b:8x/",
                "http://a.b:-1/", "http://a.b:+1/", "http://a.b:80:80/", "http://a..b/",
                "http://.a/", "http://a.b../", "http://[::1/", "http://[::1]x/", "http://[a]/",
                "http://[::1%25lo]/", "http://[fe80::1%lo]/", "http://[v1.a]/", "http://::1/",
                "http://a b/", "http://a.b/x y", "http://a.b/\t", " http://a.b/", "http://a.b/ ",
                "http://a.b/\r\nX: y", "http://a.b\n/", "http://a.b/\n", "http://a.b/\x00",
                "http://b\u00fccher.example/", "http://a\u3002b/", "http://a.b/\xe9",
                "http://\uff41.b/", "http://" + "a." * 127 + "a/", "http://" + "a" * 64 + "/",
            ]
        ),
    ],
)  # fmt: skip
def test_urls(text: str, expected: Place | None) -> None:
    assert read_url(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b:443", Place("https", "a.b", 443)),
        ("A.B.:8080", Place("https", "a.b", 8080)),
        ("[::1]:443", Place("https", "::1", 443)),
        *(
            (text, None)
            for text in ["", "a.b", ":443", "a:0", "a:65536", "a:4x", "u@a:443", "http://a:443",
                         "a:443/", "a:443?", "a:443#", "::1:443", "[::1]", "a:443:443", "a :443"]
        ),
    ],
)  # fmt: skip
def test_authorities(text: str, expected: Place | None) -> None:
    assert read_authority(text) == expected


URLISH = st.text("htps:/@#?[]%\\.0123456789abx \t\r\nXé-_", max_size=40).map("http://".__add__)


@given(URLISH | st.text(max_size=60))
@example("http://a.b/x?y")
@example("https://[::1]:8080/#x")
def test_whoever_else_reads_an_accepted_url_reads_the_same(text: str) -> None:
    """The standard library, which splits more loosely, must not see another host."""
    place = read_url(text)
    if place is None:
        return
    parts = urlsplit(text)
    assert parts.username is None
    assert parts.port in {place.port, None}
    if ":" not in place.host:
        assert str(parts.hostname).removesuffix(".") == place.host
    assert read_url(place.url) == place
    assert place.target.startswith("/")
    assert "\r" not in place.url
    assert "\n" not in place.url


@given(st.binary(max_size=300), st.integers(0, 200))
def test_what_is_written_down_is_harmless_and_bounded(data: bytes, most: int) -> None:
    text = written(data, most)
    assert len(text) <= most
    assert all(" " <= char <= "~" for char in text)
