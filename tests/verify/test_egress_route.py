"""Who is connected to: addresses that only look public, and the host's own proxies."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from hubpub.errors import UsageError
from hubpub.hosts import is_public_address
from hubpub.verify.hosts import DEFAULT_HOSTS, rules
from proxying import QUICK, Open, Outer, certified, proxy, resolving
from publishing import Server
from rough import Rough, reply, silent

__all__ = ["proxy"]  # a fixture

INSIDE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.9.9.9",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.168.1.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
    "255.255.255.255", "168.63.129.16",
    "::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "ff0e::1",
    "100::1", "2001:db8::1", "3fff::1", "5f00::1", "2001:2::1", "2001:10::1",
    # IPv6 that stands for IPv4: mapped, compatible, translated, NAT64 (both), 6to4, Teredo
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "64:ff9b:1:ffff::a00:1",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:53aa:64c:0:fffe:f5ff:fffe",
]  # fmt: skip
OUTSIDE = ["1.1.1.1", "140.82.112.3", "2606:4700::1111", "2a00:1450:4001::1", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_of_the_inside_is_public(address: str) -> None:
    assert not is_public_address(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public_address(address)


@pytest.mark.parametrize("address", INSIDE)
@pytest.mark.parametrize("method", ["GET", "CONNECT"])
def test_an_allowed_name_that_leads_inside_is_refused(
    proxy: Open, address: str, method: str
) -> None:
    """A host of the defaults, and one that a wildcard of the user covers."""
    there = proxy("*.example.org", resolver=resolving(github_com=address, a_example_org=address))
    for host in ("github.com", "a.example.org"):
        target = f"{host}:443" if method == "CONNECT" else f"https://{host}/x"
        status, reason, _ = there.ask(method, target)
        assert status == 403
        assert f"not public; --allow-host {host} allows it" in reason
    assert [entry.decision for entry in there.log(2)] == ["denied", "denied"]


def test_a_host_that_the_user_names_may_be_inside(http_server: Server, proxy: Open) -> None:
    http_server.serve({"/x": b"x"})
    port = http_server.host.split(":")[1]
    there = proxy(f"Files.Example.org.:{port}", resolver=resolving(files_example_org="127.0.0.1"))
    assert there.ask("GET", f"http://files.example.org:{port}/x")[2] == b"x"
    assert there.ask("GET", f"http://FILES.example.org.:{port}/x")[2] == b"x"
    assert http_server.requests[-1].headers["Host"] == f"files.example.org:{port}"


@pytest.mark.parametrize(
    "spelling",
    ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0x7f.1", "127.0.0.1.", "0", "[::]",
     "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "localhost", "localhost."],
)  # fmt: skip
def test_no_spelling_of_an_address_is_a_way_round(
    http_server: Server, proxy: Open, spelling: str
) -> None:
    """Not without a rule, and a wildcard that covers it does not make it public."""
    port = http_server.host.split(":")[1]
    for allowed in ((), ("example.org", "*.1", "*.0.1")):
        there = proxy(*(f"{host}:{port}" for host in allowed))
        assert there.ask("GET", f"http://{spelling}:{port}/x")[0] == 403
        assert there.ask("CONNECT", f"{spelling}:{port}")[0] == 403
    assert not http_server.requests


def test_only_the_public_ones_of_several_addresses_are_taken(proxy: Open) -> None:
    """None of these is reached: 192.0.2.0/24 is for documentation, and 127.0.0.1 is not public."""
    with socket.create_server(("127.0.0.1", 0)) as trap:
        port = trap.getsockname()[1]
        there = proxy(f"*.example.org:{port}", resolver=resolving(a_example_org="127.0.0.1,::1"))
        assert there.ask("GET", f"http://a.example.org:{port}/")[0] == 403
        trap.settimeout(0.1)
        with pytest.raises(TimeoutError):
            trap.accept()


def test_a_name_is_resolved_once(http_server: Server, proxy: Open) -> None:
    """The address that was judged is the one that is connected to, however a name changes."""
    port = http_server.host.split(":")[1]
    known, asked = resolving(a_example_org="127.0.0.1"), []

    def counting(host: str, port: int) -> list[tuple[object, ...]]:
        asked.append(host)
        return known(host, port)

    there = proxy(f"a.example.org:{port}", resolver=counting)
    assert there.ask("GET", f"http://a.example.org:{port}/x")[0] == 404
    assert asked == ["a.example.org"]


def test_a_name_that_does_not_resolve(proxy: Open) -> None:
    there = proxy(resolver=resolving())
    for method, target in (("GET", "https://github.com/x"), ("CONNECT", "github.com:443")):
        assert there.ask(method, target)[:2] == (502, "hubpub: the host name does not resolve")
    assert {entry.decision for entry in there.log(2)} == {"allowed"}


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        *((host, True) for host in [
            "github.com", "api.github.com", "codeload.github.com", "raw.githubusercontent.com",
            "objects.githubusercontent.com", "release-assets.githubusercontent.com",
            "media.githubusercontent.com", "github-cloud.githubusercontent.com",
            "download.pytorch.org", "huggingface.co", "hf.co", "cdn-lfs.huggingface.co",
            "cdn-lfs.hf.co", "cdn-lfs-us-1.hf.co", "cas-bridge.xethub.hf.co",
            "cas-server.xethub.hf.co", "transfer.xethub-eu.hf.co", "us.aws.cdn.hf.co",
            "us-east1.us.gcp.cdn.hf.co",
        ]),
        *((host, False) for host in [
            "gist.github.com", "evil-github.com", "github.com.evil.example", "github.io",
            "githubusercontent.com", "evilgithubusercontent.com", "pytorch.org", "huggingface.com",
            "hf.co.evil.example", "evilhf.co", "localhost", "127.0.0.1",
        ]),
    ],
)  # fmt: skip
def test_who_is_allowed_by_default(host: str, allowed: bool) -> None:
    found = rules([])
    for port, expected in ((443, allowed), (80, allowed), (22, False), (8080, False)):
        assert any(rule.matches(host, port) for rule in found) is expected
    assert not any(rule.private for rule in found)
    assert len(found) == len(DEFAULT_HOSTS)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("Example.ORG", "example.org", None),
        ("example.org.", "example.org", None),
        ("b\u00fccher.example", "xn--bcher-kva.example", None),
        ("*.b\u00fccher.example:80", "*.xn--bcher-kva.example", 80),
        ("[0:0::1]:8080", "::1", 8080),
        ("[::ffff:10.0.0.1]", str(ipaddress.IPv6Address("::ffff:10.0.0.1")), None),
    ],
)
def test_allowed_hosts_are_spelled_as_in_requests(text: str, host: str, port: int | None) -> None:
    rule = rules([text])[-1]
    assert (rule.host, rule.port, rule.by_user) == (host, port, True)


@pytest.mark.parametrize("text", ["[::x]", "a\u3002\u3002b", "\u00fc" * 70])
def test_hosts_that_are_none(text: str) -> None:
    with pytest.raises(UsageError):
        rules([text])


# --- TLS, made by the parent ----------------------------------------------------------------------


@dataclass
class Secure:
    """A certificate for files.example.org, and a client that trusts it."""

    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Secure:
    certificate, server = certified(tmp_path_factory.mktemp("tls"), "DNS:files.example.org")
    return Secure(server, ssl.create_default_context(cafile=str(certificate)))


@pytest.fixture
def https(secure: Secure) -> Iterator[Rough]:
    server = Rough(tls=secure.server)
    server.scripts["/m.pth"] = reply(body=b"weights", Content_Length="7")
    yield server
    server.close()


KNOWN = resolving(files_example_org="127.0.0.1", other_example_org="127.0.0.1")


def test_the_parent_makes_the_tls(https: Rough, proxy: Open, secure: Secure) -> None:
    names = [f"{name}.example.org:{https.port}" for name in ("files", "other")]
    there = proxy(*names, tls=secure.client, resolver=KNOWN)
    assert there.ask("GET", f"https://{names[0]}/m.pth") == (200, "X", b"weights")
    assert https.requests[0][2]["host"] == names[0]
    status, reason, _ = there.ask("GET", f"https://{names[1]}/m.pth")
    assert (status, "its certificate is refused: Hostname mismatch" in reason) == (502, True)
    stranger = proxy(*names, resolver=KNOWN)
    status, reason, _ = stranger.ask("GET", f"https://{names[0]}/m.pth")
    assert (status, "its certificate is refused" in reason) == (502, True)
    assert len(https.requests) == 1


def test_a_server_that_does_not_shake_hands(proxy: Open, secure: Secure) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent_server:
        where = f"files.example.org:{silent_server.getsockname()[1]}"
        there = proxy(where, tls=secure.client, resolver=KNOWN, bounds=QUICK)
        status, reason, _ = there.ask("GET", f"https://{where}/m.pth")
        assert (status, reason) == (502, "hubpub: it does not answer in time")


def test_a_job_that_ends_in_the_middle_of_tls_gets_none_of_its_cipher(
    https: Rough, proxy: Open, secure: Secure
) -> None:
    def halts(connection: socket.socket, *_: object) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nweights")
        silent(connection)

    https.scripts["/halts"] = halts
    name = f"files.example.org:{https.port}"
    there = proxy(name, tls=secure.client, resolver=KNOWN)
    with there.connect() as connection:
        connection.sendall(f"GET https://{name}/halts HTTP/1.0\r\n\r\n".encode())
        while not connection.recv(1000).endswith(b"weights"):
            pass
        there.egress.settle()
        assert connection.recv(1000) == b""
    (entry,) = there.log()
    assert entry.decision == "cut"  # reset or ended, as the release of Python sees it
    assert (entry.size, entry.sha256) == (7, hashlib.sha256(b"weights").hexdigest())


# --- a proxy of the host's own --------------------------------------------------------------------


@pytest.fixture
def outer(https: Rough) -> Iterator[Outer]:
    server = Outer(https.port)
    yield server
    server.close()


LOGIN = "Basic " + base64.b64encode(b"us:p@ss").decode()


def test_http_goes_through_the_hosts_proxy(outer: Outer, proxy: Open) -> None:
    url = "http://github.com/m.pth?a=b"
    outer.scripts[url] = reply(body=b"weights")
    there = proxy(proxies={"http": f"http://us:p%40ss@{outer.host}"}, resolver=resolving())
    assert there.ask("GET", url) == (200, "X", b"weights")
    ((method, target, headers),) = outer.requests
    assert (method, target, headers["host"]) == ("GET", url, "github.com")
    assert headers["proxy-authorization"] == LOGIN.lower()
    (entry,) = there.log()
    assert (entry.url, entry.decision, entry.size) == (url, "allowed", 7)
    assert "us:" not in repr(entry)


def test_https_goes_through_the_hosts_proxy(
    outer: Outer, https: Rough, proxy: Open, secure: Secure
) -> None:
    name = f"files.example.org:{https.port}"
    there = proxy(
        name,
        proxies={"https": f"us:p%40ss@{outer.host}"},
        tls=secure.client,
        resolver=resolving(),
    )
    assert there.ask("GET", f"https://{name}/m.pth") == (200, "X", b"weights")
    assert [(method, target) for method, target, _ in outer.requests] == [("CONNECT", name)]
    assert outer.requests[0][2]["proxy-authorization"] == LOGIN.lower()
    ((_, _, headers),) = https.requests
    assert "proxy-authorization" not in headers


def test_a_tunnel_goes_through_the_hosts_proxy(
    outer: Outer, http_server: Server, proxy: Open
) -> None:
    http_server.serve({"/x": b"through"})
    outer.to = int(http_server.host.split(":")[1])
    there = proxy(proxies={"https": f"http://{outer.host}"}, resolver=resolving())
    answer = there.say(b"CONNECT github.com:443 HTTP/1.1\r\nHost: x\r\n\r\nGET /x HTTP/1.0\r\n\r\n")
    assert answer.endswith(b"through")
    assert [target for _, target, _ in outer.requests] == ["github.com:443"]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("addresses", "decision"),
    [("10.0.0.1", "denied"), ("1.1.1.1,10.0.0.1", "denied"), ("1.1.1.1", "allowed")],
)
def test_behind_a_proxy_too_no_name_leads_inside(
    outer: Outer, proxy: Open, scheme: str, addresses: str, decision: str
) -> None:
    """What cannot be resolved here is left to the proxy; what can is judged, all of it."""
    outer.scripts["http://github.com/x"] = outer.scripts["github.com:443"] = reply(404, b"")
    there = proxy(proxies={scheme: outer.host}, resolver=resolving(github_com=addresses))
    there.ask("GET", f"{scheme}://github.com/x")
    (entry,) = there.log()
    assert entry.decision == decision
    assert bool(outer.requests) is (decision == "allowed")


@pytest.mark.parametrize("proxies", [{"http": "{}", "no": "*"}, {"http": "{}", "no": "127.0.0.1"},
                                     {"https": "{}"}, {}])  # fmt: skip
def test_what_the_proxy_is_not_for(
    outer: Outer, http_server: Server, proxy: Open, proxies: dict[str, str]
) -> None:
    http_server.serve({"/x": b"straight"})
    named = {name: text.format(outer.host) for name, text in proxies.items()}
    there = proxy(http_server.host, proxies=named)
    assert there.ask("GET", http_server.url("/x"))[2] == b"straight"
    assert not outer.requests


def test_the_environment_names_the_proxy(
    outer: Outer, proxy: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "NO_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", f"http://{outer.host}")
    outer.scripts["http://download.pytorch.org/x"] = reply(body=b"x")
    there = proxy(proxies=None, resolver=resolving())
    assert there.ask("GET", "http://download.pytorch.org/x")[2] == b"x"
    monkeypatch.setenv("NO_PROXY", ".pytorch.org")
    there = proxy(proxies=None, resolver=resolving())
    assert there.ask("GET", "http://download.pytorch.org/x")[0] == 502
    assert len(outer.requests) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("socks5://127.0.0.1:1080", "HTTP_PROXY of the environment is not the http:// URL"),
        ("https://127.0.0.1:1080", "HTTP_PROXY of the environment is not the http:// URL"),
        ("http://", "HTTP_PROXY of the environment is not the http:// URL"),
        ("http://[::1", "HTTP_PROXY of the environment is not the http:// URL"),
        ("http://secret:word@127.0.0.1:1", "HTTP_PROXY of the environment: Connection refused"),
    ],
)
def test_a_proxy_that_is_none_says_so(proxy: Open, text: str, said: str) -> None:
    there = proxy(proxies={"http": text}, resolver=resolving())
    status, reason, _ = there.ask("GET", "http://github.com/x")
    assert status == 502
    assert reason.startswith(f"hubpub: {said}")
    assert "secret" not in reason


@pytest.mark.parametrize("answer", [407, 403, 502, 302])
def test_a_proxy_that_refuses_a_tunnel(outer: Outer, proxy: Open, answer: int) -> None:
    outer.scripts["github.com:443"] = reply(answer, b"<html>login</html>", Location="http://evil/")
    there = proxy(proxies={"https": outer.host}, resolver=resolving())
    for method, target in (("GET", "https://github.com/x"), ("CONNECT", "github.com:443")):
        assert there.ask(method, target)[:2] == (
            502,
            f"hubpub: HTTPS_PROXY of the environment answers {answer}",
        )


def test_a_proxy_that_wants_a_login_for_http(outer: Outer, proxy: Open) -> None:
    outer.scripts["http://github.com/x"] = reply(407, b"", Proxy_Authenticate="Basic")
    there = proxy(proxies={"http": outer.host}, resolver=resolving())
    status, reason, _ = there.ask("GET", "http://github.com/x")
    assert (status, reason) == (502, "hubpub: HTTP_PROXY of the environment answers 407")


def test_a_proxy_that_does_not_answer(outer: Outer, proxy: Open) -> None:
    outer.scripts["github.com:443"] = silent
    there = proxy(proxies={"https": outer.host}, resolver=resolving(), bounds=QUICK)
    assert there.ask("GET", "https://github.com/x")[1] == "hubpub: it does not answer in time"
