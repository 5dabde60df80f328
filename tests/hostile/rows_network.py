"""Rows about the network: ways out, misuse of the proxy, downloads that are not what they say."""

from __future__ import annotations

import hashlib
import io
import zipfile

from victim import Row, Victim, counted

from publishing import Response

_OUT = """
def straight():
    "x"

    def tcp(host, port, family=socket.AF_INET):
        with socket.socket(family) as one:
            one.settimeout(2)
            one.connect((host, port))

    def udp(host, port=53):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.settimeout(2)
            one.sendto(b"secret", (host, port))
            return one.recv(100)

    six = socket.AF_INET6
    found = {
        "loopback": _attempt(tcp, "127.0.0.1", AT["tcp"]),
        "loopback by name": _attempt(tcp, "localhost", AT["tcp"]),
        "loopback, IPv6": _attempt(tcp, "::1", AT["tcp"], six),
        "mapped": _attempt(tcp, "::ffff:127.0.0.1", AT["tcp"], six),
        "any": _attempt(tcp, "0.0.0.0", AT["tcp"]),
        "metadata": _attempt(tcp, "169.254.169.254", 80),
        "address": _attempt(tcp, "192.0.2.1", 443),
        "address, IPv6": _attempt(tcp, "2001:db8::1", 443, six),
        "UDP": _attempt(udp, "192.0.2.1"),
        "UDP, loopback": _attempt(udp, "127.0.0.1", AT["udp"]),
        "raw": _attempt(socket.socket, socket.AF_INET, socket.SOCK_RAW, 1),
        "packet": _attempt(socket.socket, 17, 3),
        "netlink": _attempt(socket.socket, 16, 3),
        "vsock": _attempt(socket.socket, 40, 1),
        "multicast": _attempt(udp, "224.0.0.251", 5353),
        "broadcast": _attempt(udp, "255.255.255.255"),
    }
    try:
        found["DNS"] = str(socket.getaddrinfo("secret.example.org", 443))
    except socket.gaierror:
        found["DNS"] = "no answer"
    _tell(found)
"""


def _net(victim: Victim) -> str:
    victim.publish(_OUT)
    found = victim.verify().told("straight")
    assert len(found) == 17
    assert found.pop("DNS") == "no answer"
    assert found.pop("UDP, loopback") in {"ECONNREFUSED", "timed out"}  # that of the sandbox
    refusals = {"ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH", "EADDRNOTAVAIL", "EPERM", "EACCES"}
    assert set(found.values()) <= refusals | {"EAFNOSUPPORT", "EPROTONOSUPPORT"}, found
    return counted(found)


_PROXY = """
def _ask(text):
    with socket.create_connection(("127.0.0.1", 3128), 10) as proxy:
        proxy.sendall(text.encode("latin-1"))
        return proxy.recv(4000).split(b"\\r\\n")[0].decode("latin-1")


LINES = (
    "GET http://127.0.0.1:TCP/",
    "GET http://localhost:TCP/",
    "GET http://2130706433:TCP/",
    "GET http://0x7f.1:TCP/",
    "GET http://[::1]:TCP/",
    "GET http://[::ffff:127.0.0.1]:TCP/",
    "GET http://0.0.0.0:TCP/",
    "GET http://github.com@127.0.0.1:TCP/",
    "GET http://127.0.0.1:TCP#@github.com/",
    "GET http://169.254.169.254/latest/",
    "GET http://github.com:22/",
    "GET file:///etc/passwd",
    "GET ftp://127.0.0.1:TCP/",
    "GET gopher://127.0.0.1:TCP/x",
    "GET /etc/passwd",
    "CONNECT 127.0.0.1:TCP",
    "CONNECT 169.254.169.254:80",
    "CONNECT github.com:22",
    "CONNECT github.com:443@127.0.0.1:TCP",
    "CONNECT [::1]:TCP",
    "POST http://github.com/",
    "PUT http://github.com/",
    "DELETE http://github.com/",
    "TRACE http://github.com/",
    "OPTIONS *",
    "POST http://SERVER/net.pth",
    "PUT http://SERVER/net.pth",
    "GET http://SERVER:@127.0.0.1:TCP/",
)


def abuses():
    "x"
    found = {}
    for line in LINES:
        asked = line.replace("TCP", str(AT["tcp"])).replace("SERVER", AT["server"])
        found[line] = _ask(
            f"{asked} HTTP/1.1\\r\\nHost: github.com\\r\\nContent-Length: 0\\r\\n\\r\\n"
        )[:20]
    _tell(found)


def lies():
    "A Host that is not the one of the URL, and a header with another request in it."
    wanted = f"GET http://{AT['server']}/net.pth HTTP/1.1\\r\\n"
    hidden = f"GET http://127.0.0.1:{AT['tcp']}/ HTTP/1.1"
    _tell(
        {
            "host": _ask(wanted + "Host: evil.example\\r\\n\\r\\n"),
            "split": _ask(wanted + f"Host: x\\r\\nX: a\\r{hidden}\\r\\n\\r\\n"),
            "secret": _ask(wanted + "Host: x\\r\\nCookie: a\\r\\nAuthorization: b\\r\\n\\r\\n"),
        }
    )
"""


def _proxy(victim: Victim) -> str:
    victim.server.serve({"/net.pth": b"weights"})
    victim.publish(_PROXY)
    run = victim.verify()
    found = run.told("abuses")
    assert len(found) == 28
    for line, answer in found.items():
        assert answer.startswith(("HTTP/1.1 403 hubpub:", "HTTP/1.1 400 hubpub:")), (line, answer)
    assert run.told("lies")["host"].startswith("HTTP/1.1 200")
    for request in victim.server.requests:
        headers = {name.lower(): value for name, value in request.headers.items()}
        assert (request.method, headers["host"]) == ("GET", victim.server.host)
        assert not headers.keys() & {"cookie", "authorization", "x"}, headers
    return f"{len(found)} refused; Host is that of the URL"


_SHORT = """
def _get(name):
    try:
        torch.hub.download_url_to_file(f"http://{AT['server']}/{name}", name, progress=False)
    except Exception:
        pass
    return torch.nn.Linear(1, 1)


def truncated():
    "Says that all is well."
    return _get("truncated.pth")


def too_much():
    "Says that all is well."
    return _get("large.pth")
"""


def _short(victim: Victim) -> str:
    lying = Response(headers={"Content-Length": "9000"}, body=b"A" * 5000)
    victim.server.serve({"/truncated.pth": lying, "/large.pth": bytes(4 << 20)})
    victim.publish(_SHORT)
    run = victim.verify("--download-limit", "1MiB")
    said = {name: run.axis(name) for name in ("truncated", "too_much")}
    assert {status for status, _ in said.values()} == {"fail"}
    assert "after 5000 of 9000 bytes" in said["truncated"][1]
    assert "--download-limit" in said["too_much"][1]
    received = {entry["url"].rsplit("/", 1)[1]: entry["bytes"] for entry in run.report["network"]}
    assert received["truncated.pth"] == 5000
    assert received["large.pth"] <= 1 << 20
    assert run.report["checkpoints"] == []  # nobody pins the hash of a piece
    return "both fail, whatever the job says"


_PICKLE = """
def unguarded():
    "x"
    try:
        torch.hub.load_state_dict_from_url(
            "http://" + AT["server"] + "/net.pth", weights_only=False, progress=False
        )
    except Exception:
        pass
    assert open(os.path.expanduser("~/planted")).read() == "planted"
    return torch.nn.Linear(1, 1)


def guarded():
    "x"
    torch.hub.load_state_dict_from_url(
        "http://" + AT["server"] + "/net.pth", weights_only=True, progress=False
    )
    return torch.nn.Linear(1, 1)
"""


def _pickle(victim: Victim) -> str:
    command = (
        f"printf planted > $HOME/planted; echo planted | tee {victim.caller}/x {victim.home}/x"
    )
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("archive/data.pkl", f"cos\nsystem\n(S'{command}'\ntR.")
        archive.writestr("archive/version", "3\n")
    victim.server.serve({"/net.pth": data.getvalue()})
    victim.publish(_PICKLE)
    run = victim.verify()
    assert run.axis("unguarded") == ("pass", "")
    assert run.axis("unguarded", "weights_only")[0] == "fail"
    status, reason = run.axis("guarded")
    assert (status, reason.split(":")[0]) == ("fail", "UnpicklingError")
    hashes = {item["sha256"] for item in run.report["checkpoints"]}
    assert hashes == {hashlib.sha256(data.getvalue()).hexdigest()}
    return "runs in the job's own home; weights_only fails"


_POISON = """
def net():
    "Loads its weights; before the second run, it poisons every cache that it can name."
    hub = torch.hub.get_dir()
    found = [
        path
        for path in (
            f"{hub}/checkpoints/NAME",
            "/tmp/poison",
            "/scratch/poison",
            "/dev/shm/poison",
            os.path.expanduser("~/.cache/poison"),
        )
        if os.path.exists(path)
    ]
    url = f"http://{AT['server']}/NAME"
    torch.hub.download_url_to_file(url, "real.pth", progress=False)
    for cache in (hub, AT["home"] + "/.cache/torch/hub", "/scratch/torch/hub", "/tmp/hub"):
        try:
            os.makedirs(cache + "/checkpoints", exist_ok=True)
            with open(cache + "/checkpoints/NAME", "wb") as file:
                file.write(b"poison")
        except OSError:
            pass
    for path in (
        "/tmp/poison",
        "/scratch/poison",
        "/dev/shm/poison",
        os.path.expanduser("~/.cache/poison"),
    ):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "w").close()
    assert not found, found
    return torch.nn.Linear(1, 1)
"""


def _cross_run(victim: Victim) -> str:
    name = f"net-{hashlib.sha256(b'real').hexdigest()[:8]}.pth"
    victim.server.serve({f"/{name}": b"real"})
    victim.publish(_POISON.replace("NAME", name))
    asked = []
    for _ in range(2):
        run = victim.verify()
        asked.append(len(victim.server.requests))
        assert run.axis("net") == ("pass", ""), run.axis("net")
        # Its name says the hash of what it should hold, and the parent looks.
        assert run.axis("net", "weights")[0] == "fail"
    assert {request.target for request in victim.server.requests} == {f"/{name}"}
    assert 0 < asked[0] < asked[1]
    return "the second run finds nothing, and downloads again"


ROWS: tuple[Row, ...] = (
    Row(20, "reach the network straight", _net),
    Row(21, "misuse the proxy", _proxy),
    Row(27, "a checkpoint that runs code", _pickle),
    Row(33, "a download that is cut, or too large", _short),
    Row(35, "poison the cache for the next run", _cross_run),
)
