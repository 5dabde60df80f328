"""``check --online`` against servers that are slow, rude or lying, and hosts it must not ask."""

from __future__ import annotations

import select
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from hubpub import check, source
from hubpub.check.asking import Asking, UntoldError
from hubpub.check.online import AT_ONCE, AT_ONE_HOST, Asker, Patience, ask_once, remote_tags
from hubpub.config import Settings
from hubpub.errors import UsageError
from hubpub.hosts import is_local_name, is_public_address, parse
from hubpub.source.facts import Answer
from hubpub.source.facts_git import Git
from publishing import Mirror, Server, clean_environment
from rough import (
    FILE,
    SIZE,
    Rough,
    Script,
    by_method,
    dribble,
    dropped,
    endless,
    in_turn,
    ranged,
    reply,
    rubbish,
    silent,
)


def asking(*hosts: str, **changes: Any) -> Asking:
    allowed = tuple(parse(host) for host in hosts)
    quick: dict[str, Any] = {"connect_s": 0.5, "answer_s": 0.5, "proxies": {}}
    return Asking(allowed, **(quick | changes))


QUICK = Patience(deadline_s=10, attempts=3, backoff_s=0.01, longest_wait_s=2)


def publisher(root: Path, *urls: str) -> Path:
    root.mkdir()
    lines = "".join(
        f"    if size == {index}:\n        torch.hub.load_state_dict_from_url({url!r})\n"
        for index, url in enumerate(urls)
    )
    (root / "hubconf.py").write_text(
        f'import torch\ndependencies = ["torch"]\ndef net(size=0):\n    """A net."""\n{lines}'
    )
    return root


def findings(root: Path, asker: Asker) -> list[str]:
    found = check.check(root, Settings(select=("HUB414", "HUB401")), asker=asker).diagnostics
    return [item.message for item in found]


def ask(server: Rough, root: Path, script: Script, **changes: Any) -> tuple[list[str], list[str]]:
    """What check finds of one URL that follows a script, and what it could not find out."""
    server.scripts["/a-0a1b2c3d.pth"] = script
    asker = Asker(asking(server.host, **changes), QUICK)
    url = server.url("/a-0a1b2c3d.pth")
    said = findings(publisher(root, url), asker)
    return [text.removeprefix(f"{url} ") for text in said], list(asker.untold.values())


HTML = b"<!DOCTYPE html><title>no</title>" + b" " * SIZE
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
ANSWERS: dict[str, tuple[Script, list[str], list[str] | None]] = {
    "there": (ranged, [], []),
    "without a size": (reply(Content_Length=""), [], []),
    "without ranges": (reply(), [], []),
    "gone": (reply(404, b"no"), ["is gone: the host answers 404"], []),
    "gone for ever": (reply(410, b""), ["is gone: the host answers 410"], []),
    "gone to HEAD only": (by_method(HEAD=reply(404), GET=ranged), [], []),
    "a login": (reply(401, b""), ["asks for a login, and torch.hub sends none"], []),
    "forbidden": (reply(403, b""), [], ["the host answers 403"]),
    "HEAD refused 403": (by_method(HEAD=reply(403), GET=ranged), [], []),
    "HEAD refused 405": (by_method(HEAD=reply(405), GET=ranged), [], []),
    "HEAD refused 501": (by_method(HEAD=reply(501), GET=ranged), [], []),
    "a page": (
        reply(body=HTML, Content_Type="text/html; charset=utf-8"), ["is a page, not a file"], [],
    ),
    "a file that is called a page": (reply(Content_Type="text/html"), [], []),
    "a small page": (reply(body=b"<html>no</html>"), ["is a page, not a file"], []),
    "a pointer": (reply(body=POINTER), ["is a pointer of git LFS, not the file"], []),
    "empty": (reply(body=b""), ["is empty"], []),
    "empty, with ranges": (
        by_method(HEAD=reply(body=b""), GET=reply(416, b"", Content_Range="bytes */0")),
        ["is empty"], [],
    ),
    "no size to HEAD": (by_method(HEAD=reply(body=b""), GET=ranged), [], []),
    "busy, then there": (in_turn(reply(503, b""), reply()), [], []),
    "busy to HEAD": (by_method(HEAD=reply(503, b""), GET=ranged), [], []),
    "busy": (reply(503, b""), [], ["the host answers 503"]),
    "too many requests": (reply(429, b"", Retry_After="0"), [], ["the host answers 429"]),
    "come back tomorrow": (reply(429, b"", Retry_After="86400"), [], ["the host answers 429"]),
    "come back some time": (reply(429, b"", Retry_After="Never"), [], ["the host answers 429"]),
    "silent": (silent, [], ["it does not answer in time"]),
    "dribbling": (dribble, [], ["it does not answer in time"]),
    "endless headers": (endless, [], ["the connection fails: got more than 100 headers"]),
    "dropped": (dropped, [], None),
    "dropped once": (in_turn(dropped, reply()), [], []),
    "rubbish": (rubbish, [], None),
    "no file after its size": (
        by_method(HEAD=reply(Content_Length="9"), GET=reply(body=b"", Content_Length="9")),
        [], ["the connection ends before the file"],
    ),
    "a size that is none": (reply(Content_Length="", X="1"), [], []),
    "a size of words": (by_method(HEAD=reply(Content_Length="many"), GET=ranged), [], []),
    "no content": (reply(204, b""), [], ["the host answers 204"]),
    "a redirect to itself": (
        reply(302, b"", Location="/a-0a1b2c3d.pth"), [], ["it redirects more than 10 times"],
    ),
    "a redirect to a private address": (
        reply(302, b"", Location="http://10.0.0.1/x"),
        [], ["10.0.0.1 is no public host; --allow-host 10.0.0.1 allows it"],
    ),
    "a redirect to metadata": (
        reply(302, b"", Location="http://169.254.169.254/latest/meta-data"),
        [], ["169.254.169.254 is no public host; --allow-host 169.254.169.254 allows it"],
    ),
    "a redirect to another port": (
        reply(302, b"", Location="http://127.0.0.1:1/x"),
        [], ["127.0.0.1 is no public host; --allow-host 127.0.0.1:1 allows it"],
    ),
    "a redirect to a file": (
        reply(302, b"", Location="file:///etc/passwd"),
        [], ["file is not asked, only http and https"],
    ),
    "a redirect to ftp": (
        reply(302, b"", Location="ftp://127.0.0.1/x"),
        [], ["ftp is not asked, only http and https"],
    ),
    "a redirect without a place": (reply(302, b""), [], ["the host answers 302"]),
    "a redirect to rubbish": (
        reply(302, b"", Location="http://[::1/x"), [], ["it redirects to what is no URL"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_what_a_host_may_say(name: str, rough: Rough, tmp_path: Path) -> None:
    script, found, untold = ANSWERS[name]
    begin = time.monotonic()
    said, unknown = ask(rough, tmp_path / "r", script)
    assert said == found
    if untold is None:
        (reason,) = unknown
        assert reason.startswith("the connection fails: ")
    else:
        assert unknown == untold
    assert time.monotonic() - begin < 9


def test_redirects_are_followed_and_credentials_are_not(rough: Rough, tmp_path: Path) -> None:
    rough.scripts["/b-0a1b2c3d.pth"] = reply(
        302, b"", Location=rough.url("/c").replace("//", "//u:p@")
    )
    rough.scripts["/c"] = reply()
    url = rough.url("/b-0a1b2c3d.pth").replace("//", "//ada:secret@")
    asker = Asker(asking(rough.host), QUICK)
    repo = asker.ask(source.read(publisher(tmp_path / "r", url)))
    assert repo.answers[url].size == SIZE
    assert repo.answers[url].final == rough.url("/c")
    assert len(rough.requests) == 2
    for _, _, headers in rough.requests:
        assert "authorization" not in headers
        assert headers["host"] == rough.host
        assert headers["user-agent"].startswith("hubpub/")
    rough.scripts["/b-0a1b2c3d.pth"] = reply(404, b"")
    (message,) = findings(publisher(tmp_path / "s", url), Asker(asking(rough.host), QUICK))
    assert "secret" not in message


def test_a_body_is_not_read(rough: Rough, tmp_path: Path) -> None:
    sent = []

    def flood(connection: socket.socket, *__: object) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        with suppress(OSError):
            for _ in range(1000):
                connection.sendall(b"x" * 65536)
                sent.append(1)

    said, unknown = ask(rough, tmp_path / "r", flood)
    assert (said, unknown) == ([], [])
    assert len(sent) < 500


def test_sizes_that_disagree(rough: Rough, tmp_path: Path) -> None:
    rough.scripts["/1/a-0a1b2c3d.pth"] = reply()
    rough.scripts["/2/a-0a1b2c3d.pth"] = reply(body=FILE + b"x")
    rough.scripts["/1/b.pth"] = reply()
    rough.scripts["/2/b.pth"] = reply(body=FILE + b"x")
    wanted = [rough.url(f"/{n}/{name}") for name in ("a-0a1b2c3d.pth", "b.pth") for n in (1, 2)]
    root = publisher(tmp_path / "r", *wanted)
    (message,) = findings(root, Asker(asking(rough.host), QUICK))
    first = rough.url("/1/a-0a1b2c3d.pth")
    assert (
        message == f"{rough.url('/2/a-0a1b2c3d.pth')} has {SIZE + 1} bytes, and {first} has {SIZE}"
    )


def test_a_size_that_the_tree_knows(rough: Rough, tmp_path: Path) -> None:
    rough.scripts["/a-0a1b2c3d.pth"] = reply()
    root = publisher(tmp_path / "r", rough.url("/a-0a1b2c3d.pth"))
    (root / "a-0a1b2c3d.pth").write_bytes(FILE[:-1])
    (message,) = findings(root, Asker(asking(rough.host), QUICK))
    assert message.endswith(f"has {SIZE} bytes, and a-0a1b2c3d.pth has {SIZE - 1}")


def test_more_than_a_release_holds(rough: Rough, tmp_path: Path) -> None:
    said, _ = ask(rough, tmp_path / "r", by_method(HEAD=reply(Content_Length=str(3 << 30))))
    assert said == ["is 3.0 GiB; the loader starts anew whenever the connection breaks"]


class Count:
    """How many are in flight, and were at most. A reply lands before its thread ends, so that is
    counted while a question is thought about."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.now = self.most = 0

    def __enter__(self) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.now -= 1


def test_few_are_asked_at_once(tmp_path: Path) -> None:
    every, hosts = Count(), [Count() for _ in range(6)]

    def slow(host: Count) -> Script:
        def script(connection: socket.socket, method: str, headers: dict[str, str], n: int) -> None:
            with every, host:
                time.sleep(0.05)
            reply()(connection, method, headers, n)

        return script

    servers = [Rough() for _ in hosts]
    wanted = []
    for server, host in zip(servers, hosts, strict=True):
        for index in range(20):
            server.scripts[f"/{index}-0a1b2c3d.pth"] = slow(host)
            wanted.append(server.url(f"/{index}-0a1b2c3d.pth"))
    asker = Asker(asking(*(server.host for server in servers)), replace(QUICK, deadline_s=60))
    repo = asker.ask(source.read(publisher(tmp_path / "r", *wanted)))
    assert len(repo.answers) == len(wanted) == 120
    assert all(answer.size == SIZE for answer in repo.answers.values())
    assert asker.untold == {}
    assert max(host.most for host in hosts) == AT_ONE_HOST
    assert AT_ONE_HOST < every.most <= AT_ONCE
    again = asker.ask(repo)
    assert again.answers == repo.answers
    assert sum(len(server.requests) for server in servers) == 120
    for server in servers:
        server.close()


def test_retry_after_is_obeyed(rough: Rough, tmp_path: Path) -> None:
    times: list[float] = []

    def busy(connection: socket.socket, method: str, headers: dict[str, str], n: int) -> None:
        times.append(time.monotonic())
        answer = reply(429, b"", Retry_After="1") if n == 0 else reply()
        answer(connection, method, headers, n)

    assert ask(rough, tmp_path / "r", busy) == ([], [])
    assert 0.95 < times[1] - times[0] < 3


def test_everything_ends_at_the_deadline(rough: Rough, tmp_path: Path) -> None:
    wanted = [rough.url(f"/{index}-0a1b2c3d.pth") for index in range(30)]
    rough.scripts.update((f"/{index}-0a1b2c3d.pth", silent) for index in range(30))
    asker = Asker(asking(rough.host, answer_s=30), replace(QUICK, deadline_s=0.5))
    begin = time.monotonic()
    assert findings(publisher(tmp_path / "r", *wanted), asker) == []
    assert time.monotonic() - begin < 3
    assert len(asker.untold) == 30


def test_a_resolver_that_hangs_holds_nothing(tmp_path: Path) -> None:
    hang = threading.Event()

    def resolve(host: str, port: int) -> list[tuple[Any, ...]]:
        hang.wait(20)
        raise AssertionError(host, port)

    asker = Asker(asking(resolve=resolve), replace(QUICK, deadline_s=0.3))
    root = publisher(tmp_path / "r", "https://example.org/a-0a1b2c3d.pth")
    assert findings(root, asker) == []
    assert asker.untold == {"https://example.org/a-0a1b2c3d.pth": "no answer within 0.3 seconds"}
    hang.set()


def names(**known: str) -> Callable[[str, int], list[tuple[Any, ...]]]:
    """A resolver that knows some names, with underscores for full stops."""

    def resolve(host: str, port: int) -> list[tuple[Any, ...]]:
        address = known.get(host.replace(".", "_"))
        if address is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if address == "later":
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    return resolve


NAMES = {
    "an unknown host": (
        names(github_com="192.0.2.1"),
        ["https://no.example.org/a-0a1b2c3d.pth names a host that does not exist"], [],
    ),
    "no names at all": (names(), [], ["no name of a host can be looked up here"]),
    "names at another time": (
        names(no_example_org="later"),
        [], ["no.example.org cannot be looked up: Temporary failure in name resolution"],
    ),
    "a public name with a private address": (
        names(no_example_org="192.168.0.7"),
        [], ["no.example.org has no public address; --allow-host no.example.org allows it"],
    ),
    "a public name with the address of metadata": (
        names(no_example_org="169.254.169.254"),
        [], ["no.example.org has no public address; --allow-host no.example.org allows it"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str, tmp_path: Path) -> None:
    resolve, found, untold = NAMES[name]
    asker = Asker(asking(resolve=resolve), QUICK)
    root = publisher(tmp_path / "r", "https://no.example.org/a-0a1b2c3d.pth")
    assert findings(root, asker) == found
    assert list(asker.untold.values()) == untold


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://localhost/a.pth", "localhost is no public host; --allow-host localhost allows it"),
        ("http://127.1:8000/a.pth", "127.1 is no public host; --allow-host 127.1:8000 allows it"),
        ("http://[::1]/a.pth", "::1 is no public host; --allow-host [::1] allows it"),
        ("http://2130706433/", "2130706433 is no public host; --allow-host 2130706433 allows it"),
        ("http://a.internal/", "a.internal is no public host; --allow-host a.internal allows it"),
        ("ftp://example.org/a.pth", "ftp is not asked, only http and https"),
        ("https://example.org:25/a.pth", "port 25 is not one of the web"),
        ("https://example.org:port/a.pth", "it is no URL that can be read"),
        ("https://example.org/a b.pth", "it holds what must be quoted in a URL"),
        ("https://example.org/a\r\nX: y.pth", "it holds what must be quoted in a URL"),
        ("https://example.org/ä.pth", "it holds what must be quoted in a URL"),
        ("https:///a.pth", "it holds what must be quoted in a URL"),
        ("https://a..example.org/a.pth", None),
        (f"https://{'a' * 70}.example.org/a.pth", None),
        ("https://ex\u2100mple.org/a.pth", None),
    ],
)  # fmt: skip
def test_what_is_never_asked(url: str, reason: str | None) -> None:
    def resolve(host: str, port: int) -> list[tuple[Any, ...]]:
        host.encode("idna")
        raise AssertionError(host)

    with pytest.raises(UntoldError) as caught:
        ask_once(asking(resolve=resolve), url, time.monotonic() + 5)
    assert reason is None or caught.value.reason == reason


def test_a_wildcard_allows_no_private_address() -> None:
    with pytest.raises(UntoldError):
        ask_once(
            asking("*.example.org", resolve=names(a_example_org="127.0.0.1")),
            "http://a.example.org/a.pth", time.monotonic() + 5,
        )  # fmt: skip


@pytest.mark.parametrize(
    "host",
    ["localhost", "a.localhost", "127.0.0.1", "0", "0x7f.1", "10.1", "[fe80::1]", "fd00:ec2::254",
     "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "168.63.129.16", "100.100.100.200",
     "224.0.0.1", "255.255.255.255", "printer.local", "x.home.arpa", "LOCALHOST."],
)  # fmt: skip
def test_local(host: str) -> None:
    assert is_local_name(host)


@pytest.mark.parametrize(
    "host", ["example.org", "8.8.8.8", "local.example.org", "1.1", "2606:4700::1111", "10.org"]
)  # fmt: skip
def test_public(host: str) -> None:
    assert not is_local_name(host)
    assert not is_public_address("example.org")


def test_tls_is_verified(rough: Rough, tmp_path: Path) -> None:
    """A server that speaks no TLS, and one whose certificate nobody signed."""
    url = rough.url("/a-0a1b2c3d.pth").replace("http:", "https:")
    asker = Asker(asking(rough.host), QUICK)
    assert findings(publisher(tmp_path / "r", url), asker) == []
    assert len(asker.untold) == 1
    tls = asking().tls
    assert tls.verify_mode is ssl.CERT_REQUIRED
    assert tls.check_hostname


@dataclass
class Secure:
    """A certificate for files.example.org, and a client that trusts it."""

    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.fixture
def secure(tmp_path: Path) -> Secure:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = [
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        "-subj", "/CN=files.example.org", "-addext", "subjectAltName=DNS:files.example.org",
        "-keyout", str(key), "-out", str(certificate),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return Secure(server, ssl.create_default_context(cafile=str(certificate)))


@contextmanager
def behind_tls(target: Rough, tls: ssl.SSLContext) -> Iterator[Rough]:
    """A server that speaks TLS, as ``target`` would answer."""
    outer = Rough(tls=tls, scripts=target.scripts)
    yield outer
    outer.close()


URL = "https://files.example.org:{}/a-0a1b2c3d.pth"


def test_tls(rough: Rough, secure: Secure) -> None:
    rough.scripts["/a-0a1b2c3d.pth"] = reply()
    with behind_tls(rough, secure.server) as server:
        until = time.monotonic() + 10
        known = names(files_example_org="127.0.0.1", other_example_org="127.0.0.1")
        hosts = [f"{name}.example.org:{server.port}" for name in ("files", "other")]
        asker = asking(*hosts, resolve=known, tls=secure.client)
        assert ask_once(asker, URL.format(server.port), until).size == SIZE
        other = URL.format(server.port).replace("files", "other")
        with pytest.raises(UntoldError, match="its certificate is refused: Hostname mismatch"):
            ask_once(asker, other, until)
        with pytest.raises(UntoldError, match="its certificate is refused"):
            ask_once(asking(*hosts, resolve=known), URL.format(server.port), until)


def test_tls_through_a_proxy(rough: Rough, secure: Secure, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    rough.scripts["/a-0a1b2c3d.pth"] = reply()
    with behind_tls(rough, secure.server) as server, forwarding(rough) as proxy:

        def tunnel(connection: socket.socket, *_: object) -> None:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with socket.create_connection(("127.0.0.1", server.port)) as upstream:
                pump(connection, upstream)

        proxy.scripts[f"files.example.org:{server.port}"] = tunnel
        asker = asking(proxies={"https": f"http://u:p@{proxy.host}"}, tls=secure.client, answer_s=5,
                       resolve=socket.getaddrinfo)  # fmt: skip
        answer = ask_once(asker, URL.format(server.port), time.monotonic() + 10)
        assert answer.size == SIZE
        ((_, _, headers),) = server.requests
        assert "proxy-authorization" not in headers


def pump(one: socket.socket, other: socket.socket) -> None:
    """Pass on what either side says until one of them goes."""
    while True:
        for ready in select.select([one, other], [], [], 5)[0]:
            data = ready.recv(4096)
            if not data:
                return
            (other if ready is one else one).sendall(data)


@contextmanager
def forwarding(target: Rough) -> Iterator[Rough]:
    """A proxy: it passes absolute URLs on to ``target``, and refuses to tunnel."""
    proxy = Rough()

    def forward(connection: socket.socket, method: str, headers: dict[str, str], n: int) -> None:
        with socket.create_connection(("127.0.0.1", target.port)) as upstream:
            upstream.sendall(f"{method} /a-0a1b2c3d.pth HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            while data := upstream.recv(4096):
                connection.sendall(data)

    proxy.scripts["http://files.example.org/a-0a1b2c3d.pth"] = forward
    proxy.scripts["files.example.org:443"] = reply(502, b"")
    yield proxy
    proxy.close()


def test_a_proxy(rough: Rough, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rough.scripts["/a-0a1b2c3d.pth"] = reply()
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with forwarding(rough) as proxy:
        user = dict.fromkeys(("http", "https"), f"http://ada:lovelace@{proxy.host}")
        asker = Asker(asking(proxies=user, resolve=socket.getaddrinfo), QUICK)
        plain, secure = (f"{scheme}://files.example.org/a-0a1b2c3d.pth" for scheme in user)
        repo = asker.ask(source.read(publisher(tmp_path / "r", plain, secure)))
        assert repo.answers[plain].size == SIZE
        assert asker.untold == {secure: "the proxy answers 502"}
        assert {method for method, _, _ in proxy.requests} == {"HEAD", "CONNECT"}
        assert all(
            h["proxy-authorization"] == "Basic YWRhOmxvdmVsYWNl" for _, _, h in proxy.requests
        )
        assert all("proxy-authorization" not in headers for _, _, headers in rough.requests)
        # A private host stays private behind a proxy.
        with pytest.raises(UntoldError):
            ask_once(asking(proxies=user), "http://10.0.0.1/a.pth", time.monotonic() + 5)


def test_no_proxy(rough: Rough, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with forwarding(rough) as proxy:
        user = {"http": f"http://{proxy.host}"}
        assert ask(rough, tmp_path / "r", reply(), proxies=user) == ([], [])
        assert proxy.requests == []


@pytest.mark.parametrize(
    "proxy", ["socks5://127.0.0.1:1", "https://127.0.0.1:1", "http://", "http://["]
)
def test_a_proxy_that_is_not_spoken(proxy: str) -> None:
    with pytest.raises(UntoldError):
        ask_once(asking(proxies={"http": proxy}), "http://example.org/a.pth", time.monotonic() + 5)


def test_a_proxy_that_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(UntoldError, match="the connection fails"):
        ask_once(
            asking(proxies={"http": f"127.0.0.1:{port}"}),
            "http://example.org/a.pth", time.monotonic() + 5,
        )  # fmt: skip


def test_a_host_that_is_none() -> None:
    with pytest.raises(UsageError):
        Asker.allowing(["http://example.org/x"])


# --- the tags of the repository -------------------------------------------------------------------


def test_remote_tags(mirror: Mirror) -> None:
    mirror.publish({"a": "b"}, tags=("v1.0", "v1.10", "v1.9"))
    assert sorted(remote_tags(f"{mirror.url}/octo/net") or ()) == ["v1.0", "v1.10", "v1.9"]
    assert remote_tags(f"{mirror.url}/octo/none") is None
    assert remote_tags("ext::sh -c 'touch /tmp/pwned'") is None
    assert remote_tags("--upload-pack=touch") is None


def test_tags_are_those_of_github_too(mirror: Mirror, tmp_path: Path) -> None:
    mirror.publish({"a": "b"}, tags=("v1.0", "v1.10", "v1.9"))
    repo = replace(
        source.read(publisher(tmp_path / "r")), own=("octo/net",), git=Git(("v1.9", "v0.1"))
    )
    asker = Asker(asking(), QUICK, github=mirror.url)
    assert asker.ask(repo).git.tags == ("v0.1", "v1.0", "v1.9", "v1.10")
    assert asker.ask(replace(repo, own=())).git.tags == ("v0.1", "v1.9")
    assert asker.untold == {}
    other = Asker(asking(), QUICK, github=mirror.url)
    assert other.ask(replace(repo, own=("octo/none",))).git.tags == ("v0.1", "v1.9")
    assert other.untold == {f"{mirror.url}/octo/none": "its tags cannot be listed"}


# --- as people run it -----------------------------------------------------------------------------

WATCHED = """
import sys
seen = []
sys.addaudithook(lambda event, args: seen.append(event) if event in
    {"socket.connect", "socket.getaddrinfo", "urllib.Request", "subprocess.Popen"} else None)
before = set(sys.modules)
from hubpub.cli import run
code = run(sys.argv[1:])
loaded = set(sys.modules) - before
network = {"urllib.request", "ssl", "concurrent.futures", "http.client", "hubpub.check.online"}
sys.stderr.write(f"\\nSEEN {seen} {sorted(loaded & network)}\\n")
sys.exit(code)
"""


def run(home: Path, *arguments: object) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *map(str, arguments)],
        env=clean_environment(home), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_without_online_nothing_leaves(http_server: Server, home: Path, tmp_path: Path) -> None:
    root = publisher(tmp_path / "r", http_server.url("/a-0a1b2c3d.pth"))
    code, _, errors = run(home, "check", root, "--select", "HUB414")
    assert code == 0
    assert "SEEN [] []" in errors
    assert http_server.requests == []


def test_online_from_the_command_line(http_server: Server, home: Path, tmp_path: Path) -> None:
    http_server.serve({"/there-0a1b2c3d.pth": FILE, "/odd-0a1b2c3d.pth": (403, {}, b"")})
    root = publisher(
        tmp_path / "r",
        *(http_server.url(f"/{name}-0a1b2c3d.pth") for name in ("there", "gone", "odd")),
    )
    arguments = ("check", root, "--select", "HUB414", "--output-format", "concise", "--online")
    code, shown, errors = run(home, *arguments, "--allow-host", http_server.host)
    assert code == 1
    (line,) = shown.splitlines()
    assert line.endswith(
        f"error[HUB414] {http_server.url('/gone-0a1b2c3d.pth')} is gone: the host answers 404"
    )
    assert (
        f"could not be asked: {http_server.url('/odd-0a1b2c3d.pth')}: the host answers 403"
        in errors
    )
    code, shown, errors = run(home, *arguments)
    assert (code, shown) == (0, "")
    assert errors.count("could not be asked: http://127.0.0.1:") == 3


def test_allow_host_without_online_is_a_mistake(home: Path, tmp_path: Path) -> None:
    code, _, errors = run(home, "check", publisher(tmp_path / "r"), "--allow-host", "example.org")
    assert code == 2
    assert "add --online" in errors


def test_an_answer_of_no_use_is_no_finding(tmp_path: Path) -> None:
    repo = source.read(publisher(tmp_path / "r", "https://e.org/a-0a1b2c3d.pth"))
    for answer in (Answer(None, error="x"), Answer(403), Answer(500), Answer(200)):
        answers = MappingProxyType({"https://e.org/a-0a1b2c3d.pth": answer})
        found = check.judge(replace(repo, answers=answers), Settings(select=("HUB414",)))
        assert found.diagnostics == ()
