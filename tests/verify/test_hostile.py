"""Repositories that try to break the run itself, not to get out: it ends, and says what it saw."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import MakeRepository, RunHubpub
from proving import DOWNLOAD, FORGE, Prove
from publishing import Mirror, Server, clean_environment
from rough import Rough, raw

pytestmark = pytest.mark.sandbox


@pytest.mark.parametrize(
    "claim",
    [
        '{"nonce": "NONCE", "ok": true, "count": "x", "entrypoints": [{"name": "net"}]}',
        '{"nonce": "NONCE", "ok": true, "count": 1e999, "entrypoints": [{"name": "net"}]}',
        '{"nonce": "NONCE", "ok": true, "entrypoints": [{"name": "net", "required": 3}]}',
    ],
)
def test_a_forged_listing_breaks_nothing(prove: Prove, claim: str) -> None:
    forged = f"if _job()['kind'] == 'list':\n    _claim({claim!r})\n"
    proof = prove(FORGE + forged + "def net():\n    'x'\n    raise TypeError('m')\n")
    assert proof.code == 1
    assert proof.axis("net") == ("fail", "TypeError: m")


def test_a_forged_listing_runs_no_more_than_the_limit(prove: Prove) -> None:
    claim = "json.dumps({'nonce': 'NONCE', 'ok': True, 'entrypoints': [{'name': f'n{i}'} for i in "
    forged = f"if _job()['kind'] == 'list':\n    _claim({claim}range(50)]}}))\n"
    proof = prove(FORGE + forged, "--max-entrypoints", "3")
    assert len(proof.report["entrypoints"]) == 3


def test_claims_of_any_depth_and_number_end_in_a_report(prove: Prove) -> None:
    claim = '{"nonce": "NONCE", "ok": true, "parameters": NaN, "module": ' + "[" * 900 + "]" * 900
    forged = f"if _job()['kind'] == 'load':\n    _claim({claim!r} + '}}')\n"
    proof = prove(FORGE + forged + "def net():\n    'x'\n")
    assert proof.report["entrypoints"][0]["results"][0]["claims"] == {}


ODD = """
def lazy():
    "A module without a number of parameters yet."
    return torch.nn.LazyLinear(3)

def endless():
    "x"
    class Model(torch.nn.Module):
        def parameters(self, recurse=True):
            while True:
                yield torch.zeros(1)
    return Model()

def raises():
    "x"
    class Model(torch.nn.Module):
        def parameters(self, recurse=True):
            raise RuntimeError("no")
    return Model()

def no_class():
    "x"
    class Model:
        @property
        def __class__(self):
            raise KeyError("no class")
    return Model()

def no_stdout():
    "x"
    sys.stdout = None
    return torch.nn.Linear(1, 1)

def closed_stdout():
    "x"
    sys.stdout.close()
    return torch.nn.Linear(1, 1)
"""


def test_whatever_a_model_says_of_itself_it_is_loaded(prove: Prove) -> None:
    proof = prove(ODD, "--timeout", "10")
    names = ("lazy", "endless", "raises", "no_class", "no_stdout", "closed_stdout")
    assert {name: proof.axis(name) for name in names} == dict.fromkeys(names, ("pass", ""))
    assert proof.code == 0, proof.text


def test_an_error_that_cannot_be_shown_is_still_an_error(prove: Prove) -> None:
    proof = prove("""
class Silent(Exception):
    def __str__(self):
        raise ValueError

def silent():
    "x"
    raise Silent

def number():
    "x"
    sys.exit(10 ** 5000)

def module():
    "x"
    raise ModuleNotFoundError("gone", name=("a", object()))
""")
    assert proof.axis("silent")[1].startswith("Silent: <Silent that cannot be shown")
    assert proof.axis("number")[1].startswith("SystemExit")
    assert proof.axis("module")[1] == "ModuleNotFoundError: gone"


def test_a_signature_or_docstring_that_raises_hides_nobody(prove: Prove) -> None:
    proof = prove("""
class Silent(Exception):
    def __str__(self):
        raise ValueError

class Model:
    "x"
    def __call__(self):
        return 1
    @property
    def __signature__(self):
        raise RuntimeError

class Other(Model):
    @property
    def __doc__(self):
        raise Silent

first, second = Model(), Other()
""")
    assert proof.axis("first") == ("pass", "")
    assert proof.axis("second") == ("pass", "")
    assert proof.axis("second", "documented")[0] == "fail"


def test_a_hubconf_that_registers_itself_can_be_listed(prove: Prove) -> None:
    """Each name is helped in the process that listed it, so hubconf.py runs again there."""
    text = 'if hasattr(torch, "once"):\n    raise RuntimeError("twice")\ntorch.once = 1\n'
    proof = prove(text + 'def net():\n    "x"\n    return 1\n')
    assert proof.axis("net") == ("pass", "")


def test_long_names_and_errors_fit_in_a_listing(prove: Prove) -> None:
    names = [f"n{number:03}{'x' * 196}" for number in range(900)]
    call = f"lambda *, {'a' * 100}: 1"
    text = f"for number in range(900):\n    globals()[f'n{{number:03}}' + 'x' * 196] = {call}\n"
    skip = 'skip={reason="listed",until=2999-12-31}'
    settings = "".join(f"[verify.entrypoints.{name}]\n{skip}\n" for name in names)
    proof = prove(text, files={"hubpub.toml": settings})
    assert [item["name"] for item in proof.report["entrypoints"]] == names


LEAVING = """
import ctypes

def a_plants():
    "x"
    for place in ("/tmp", "/dev/shm", "/home", "/scratch"):
        with open(place + "/plant", "w") as file:
            file.write("x")
    return 1

def b_looks():
    "x"
    found = [p for p in ("/tmp", "/dev/shm", "/home", "/scratch") if os.path.exists(p + "/plant")]
    assert not found, found
    return 1

def c_takes_the_next_directory():
    "x"
    number = int(os.path.basename(os.path.dirname(os.getcwd())).removeprefix("job"))
    os.mkdir(f"/scratch/job{number + 1}")
    return 1

def d_innocent():
    "x"
    return 1

def e_shares():
    "x"
    assert ctypes.CDLL(None).shmget(0, 4096, 0o1600) >= 0
    return 1

def f_counts():
    "x"
    assert len(open("/proc/sysvipc/shm").readlines()) == 1
    return 1

def g_deep():
    "x"
    for _ in range(50):
        os.mkdir("d")
        os.chdir("d")
    return 1
"""


def test_no_job_finds_what_another_left(prove: Prove) -> None:
    proof = prove(LEAVING)
    names = [item["name"] for item in proof.report["entrypoints"]]
    assert {name: proof.axis(name) for name in names} == dict.fromkeys(names, ("pass", ""))


def test_depth_hides_no_disk(prove: Prove) -> None:
    proof = prove("""
def hides():
    "x"
    for _ in range(70):
        os.mkdir("d")
        os.chdir("d")
    for number in range(8):
        with open(str(number), "wb") as file:
            file.write(bytes(10 << 20))
    time.sleep(2)
    return 1

def very_deep():
    "x"
    for _ in range(3000):
        os.mkdir("d")
        os.chdir("d")
    return 1
""", "--disk", "50MiB")  # fmt: skip
    assert proof.axis("hides") == ("fail", "more files than the limit (--files)")


def test_a_job_goes_first_where_the_machine_runs_out(prove: Prove) -> None:
    proof = prove("""
import resource

def net():
    "x"
    assert open("/proc/self/oom_score_adj").read().strip() == "1000"
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] <= 4096
    return 1
""")
    assert proof.axis("net") == ("pass", "")


BODY = b"A" * 5000
SHORT = {
    "chunked": b"Transfer-Encoding: chunked\r\n\r\n1388\r\n" + BODY + b"\r\n1388\r\nAAA",
    "twice": b"Content-Length: 9000\r\nContent-Length: 9000\r\n\r\n" + BODY,
}


@pytest.mark.parametrize("kind", list(SHORT))
def test_a_short_body_never_passes(prove: Prove, rough: Rough, kind: str) -> None:
    rough.scripts["/net.pth"] = raw(b"HTTP/1.1 200 OK\r\n" + SHORT[kind])
    host = rough.host
    text = f'def net():\n    "x"\n    _get("http://{host}/net.pth", "net.pth")\n    return 1\n'
    proof = prove(DOWNLOAD + text, "--allow-host", host)
    assert proof.axis("net")[0] == "fail"
    assert proof.report["network"][0]["bytes"] in {5000, 5003}  # with the part of a chunk
    assert proof.report["network"][0]["decision"] == "cut"
    assert proof.report["entrypoints"][0]["results"][0]["facts"]["ended"] == "download"


def test_a_length_that_is_none_never_passes(prove: Prove, rough: Rough) -> None:
    rough.scripts["/net.pth"] = raw(b"HTTP/1.1 200 OK\r\nContent-Length: +9000\r\n\r\n" + BODY)
    host = rough.host
    text = f'def net():\n    "x"\n    _get("http://{host}/net.pth", "net.pth")\n    return 1\n'
    proof = prove(DOWNLOAD + text, "--allow-host", host)
    status, reason = proof.axis("net")
    assert (status, "bad Content-Length" in reason) == ("fail", True), reason


def test_a_download_left_in_flight_is_of_the_job_that_began_it(prove: Prove, rough: Rough) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\nA"
    rough.scripts["/net.pth"] = raw(answer, b"", pause=1.5)
    host = rough.host
    proof = prove(DOWNLOAD + f"""
def begins():
    "x"
    get = lambda: _get("http://{host}/net.pth", "net.pth")
    threading.Thread(target=get, daemon=True).start()
    time.sleep(0.5)
    return 1

def innocent():
    "x"
    time.sleep(3)
    return 1
""", "--allow-host", host)  # fmt: skip
    assert proof.axis("innocent") == ("pass", "")
    assert [request["url"] for request in proof.report["network"]] == [f"http://{host}/net.pth"]


def test_every_name_of_one_content_is_held_to_its_stamp(prove: Prove, http_server: Server) -> None:
    good = f"net-{hashlib.sha256(BODY).hexdigest()[:8]}.pth"
    http_server.serve({f"/{name}": BODY for name in (good, "net-00000000.pth")})
    proof = prove(DOWNLOAD + f"""
def a():
    "x"
    _get("{http_server.url("/" + good)}", "{good}")
    return 1

def b():
    "x"
    _get("{http_server.url("/net-00000000.pth")}", "net-00000000.pth")
    return 1

def c():
    "x"
    return a()
""", "--allow-host", http_server.host)  # fmt: skip
    assert [proof.axis(name, "weights")[0] for name in "abc"] == ["pass", "fail", "pass"]
    (checkpoint,) = proof.report["checkpoints"]
    assert checkpoint["stamp"] == {"prefix": "00000000", "status": "mismatch"}


def test_a_checkpoint_that_leaves_no_file_is_held_to_its_stamp(
    prove: Prove, http_server: Server
) -> None:
    http_server.serve({"/net-00000000.pth": BODY})
    url = http_server.url("/net-00000000.pth")
    proof = prove(DOWNLOAD + f"""
def in_memory():
    "x"
    import urllib.request
    urllib.request.urlopen("{url}").read()
    return 1

def deleted():
    "x"
    os.unlink(_get("{url}", "net-00000000.pth"))
    return 1
""", "--allow-host", http_server.host)  # fmt: skip
    for name in ("in_memory", "deleted"):
        status, reason = proof.axis(name, "weights")
        assert (status, "net-00000000.pth says 00000000" in reason) == ("fail", True), reason


def test_a_job_that_hangs_up_has_no_failed_download(prove: Prove, http_server: Server) -> None:
    http_server.serve({"/large.bin": bytes(8 << 20)})
    proof = prove(f"""
def net():
    "x"
    import urllib.request
    with urllib.request.urlopen("{http_server.url("/large.bin")}") as file:
        file.read(100)
    time.sleep(0.5)
    return 1
""", "--allow-host", http_server.host)  # fmt: skip
    assert proof.axis("net") == ("pass", "")


def test_a_log_of_requests_is_bounded(prove: Prove) -> None:
    proof = prove("""
def net():
    "x"
    import socket
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", 3128)) as proxy:
            proxy.sendall(b"GET http://x/" + b"a" * 60000 + b" HTTP/1.0\\r\\n\\r\\n")
            proxy.recv(1000)
    return 1
""")
    assert proof.report["network"]
    assert all(len(request["url"]) <= 8192 for request in proof.report["network"])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("args = [2020-01-01]", "a date or time cannot be passed"),
        ('kwargs = { a = "' + "x" * 140_000 + '" }', "more than 32768 bytes"),
    ],
)
def test_settings_that_cannot_reach_a_job_are_refused(
    hubpub: RunHubpub, repository: MakeRepository, settings: str, said: str
) -> None:
    toml = f"[verify.entrypoints.net]\n{settings}\n"
    repository({"hubconf.py": "def net(*a, **k):\n    return 1\n", "hubpub.toml": toml})
    done = hubpub("verify", "octo/net:v1.0")
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_settings_of_nobody_are_a_finding(prove: Prove) -> None:
    toml = "[verify.entrypoints.nett]\nargs = [1]\n"
    proof = prove('def net():\n    "x"\n    return 1\n', files={"hubpub.toml": toml})
    assert "unknown-entrypoint" in proof.names()


def test_a_run_that_skips_everything_says_so(prove: Prove) -> None:
    toml = '[verify.entrypoints.net]\nskip = { reason = "r", until = 2999-01-01 }\n'
    proof = prove('def net():\n    "x"\n    return 1\n', files={"hubpub.toml": toml})
    assert (proof.code, proof.names()) == (1, ["nothing-run"])


@pytest.mark.parametrize("limit", ["-t 600", "-f 1000000"])
def test_a_users_own_limits_fail_nobody(
    repository: MakeRepository, mirror: Mirror, limit: str
) -> None:
    repository({"hubconf.py": "def net():\n    return 1\n"})
    environment = clean_environment(mirror.home) | {"HUBPUB_GITHUB_URL": mirror.url}
    text = f"ulimit {limit}; exec {sys.executable} -m hubpub verify octo/net:v1.0 --device cpu"
    done = subprocess.run(
        ["bash", "-c", text], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("option", "code"),
    [
        (("--timeout", "nan"), 2),
        (("--deadline", "nan"), 2),
        (("--memory", "9" * 400), 0),
        (("--cpu-time", "9" * 30), 0),
        (("--processes", "9" * 30), 0),
    ],
)
def test_no_number_is_too_large(
    hubpub: RunHubpub, repository: MakeRepository, option: tuple[str, ...], code: int
) -> None:
    repository({"hubconf.py": "def net():\n    return 1\n"})
    done = hubpub("verify", "octo/net:v1.0", "--device", "cpu", *option)
    assert done.returncode == code, done.stdout + done.stderr


def test_a_report_goes_where_the_file_is(
    hubpub: RunHubpub, repository: MakeRepository, tmp_path: Path
) -> None:
    """A link stays a link, a pipe a pipe (as root, /dev/null would be gone), no other is left."""
    repository({"hubconf.py": "def net():\n    return 1\n"})
    folder = tmp_path / "reports"
    (folder / "directory").mkdir(parents=True)
    (folder / "link.json").symlink_to("real.json")
    os.mkfifo(folder / "pipe")
    reader = os.open(folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    outputs = [("--output-format", f"json:{folder / name}") for name in ("link.json", "pipe")]
    done = hubpub("verify", "octo/net:v1.0", *outputs[0], *outputs[1])
    assert done.returncode == 0, done.stderr
    assert json.loads((folder / "real.json").read_text())["version"] == 1
    assert json.loads(os.read(reader, 1 << 16))["version"] == 1
    os.close(reader)
    assert (folder / "link.json").is_symlink()
    done = hubpub("verify", "octo/net:v1.0", "--output-format", f"json:{folder / 'directory'}")
    assert (done.returncode, "is a directory" in done.stderr) == (2, True)
    assert "fetched" not in done.stderr
    assert sorted(path.name for path in folder.iterdir()) == [
        "directory", "link.json", "pipe", "real.json",
    ]  # fmt: skip


def test_json_on_stdout_is_ascii(hubpub: RunHubpub, repository: MakeRepository) -> None:
    repository({"hubconf.py": "def net():\n    raise ValueError('\\x9b31m\\u202e')\n"})
    done = hubpub("verify", "octo/net:v1.0", "--output-format", "json")
    assert done.stdout.isascii()
    assert json.loads(done.stdout)["status"] == "fail"


@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_closed_streams_are_no_defect(
    repository: MakeRepository, mirror: Mirror, closed: str
) -> None:
    repository({"hubconf.py": "def net():\n    return 1\n"})
    environment = clean_environment(mirror.home) | {"HUBPUB_GITHUB_URL": mirror.url}
    text = f"exec {sys.executable} -m hubpub verify octo/net:v1.0 {closed}"
    done = subprocess.run(["bash", "-c", text], env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_tree_of_ten_billion_files_is_refused_at_once(
    hubpub: RunHubpub, repository: MakeRepository
) -> None:
    published = repository({"hubconf.py": "x = 1\n"})
    tree = published.git("rev-parse", "HEAD^{tree}")
    for level in range(9):
        folder = published.path / f".git/level{level}"
        folder.write_text("".join(f"040000 tree {tree}\td{number}\n" for number in range(10)))
        with folder.open() as lines:
            done = subprocess.run(
                ["git", "-C", str(published.path), "mktree"],
                stdin=lines, capture_output=True, text=True, check=True,
            )  # fmt: skip
        tree = done.stdout.strip()
    published.git("tag", "bomb", published.git("commit-tree", tree, "-m", "bomb"))
    done = hubpub("verify", "octo/net:bomb", timeout=30)
    assert (done.returncode, "holds more than" in done.stderr) == (4, True), done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_fetch_leaves_no_git_behind(
    mirror: Mirror, tmp_path: Path, number: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        temporary = tmp_path / "tmp"
        temporary.mkdir()
        environment = clean_environment(mirror.home)
        environment |= {"HUBPUB_GITHUB_URL": url, "TMPDIR": str(temporary)}
        command = [sys.executable, "-m", "hubpub", "verify", "octo/net:v1.0"]
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as running:
            connection = silent.accept()[0]  # git is waiting for its answer now
            running.send_signal(number)
            running.wait(30)
        with connection:
            connection.settimeout(10)
            while connection.recv(1 << 16):  # until its end is closed: git is gone
                pass
    assert not list(temporary.iterdir())


def test_refs_of_odd_names(hubpub: RunHubpub, repository: MakeRepository) -> None:
    """U+2028 ends a line for Python, not for git; and a number may be too long for one."""
    published = repository({"hubconf.py": "def net():\n    return 1\n"}, tags=("v\u2028x",))
    commit = published.git("rev-parse", "HEAD")
    assert hubpub("verify", "octo/net:v\u2028x").returncode == 0
    (published.path / ".git/packed-refs").write_text(f"{commit} refs/tags/{'9' * 5000}\n")
    done = hubpub("verify", "octo/net:gone")
    assert (done.returncode, "has no branch or tag" in done.stderr) == (4, True), done.stderr


def test_names_that_are_too_long_together(hubpub: RunHubpub, repository: MakeRepository) -> None:
    name = f"{'o' * 90}/{'r' * 90}"
    repository({"hubconf.py": "x = 1\n"}, name=name, tags=("t" * 90,))
    done = hubpub("verify", f"{name}:{'t' * 90}")
    assert (done.returncode, "too long" in done.stderr) == (4, True), done.stderr
