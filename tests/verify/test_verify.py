"""``hubpub verify`` as a user runs it: real git, real bubblewrap, real torch.hub, real HTTP."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import pty
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import MakeRepository, RunHubpub
from hubpub.verify.report import AXES, schema
from publishing import Files, Mirror, Response, Server, clean_environment

pytestmark = pytest.mark.sandbox
torch = pytest.importorskip("torch", reason="the verify extra is not installed")


def weights(value: float = 1.0) -> bytes:
    buffer = io.BytesIO()
    torch.save({"weight": torch.full((2, 3), value), "bias": torch.zeros(2)}, buffer)
    return buffer.getvalue()


def stamped(data: bytes, name: str = "net") -> str:
    return f"{name}-{hashlib.sha256(data).hexdigest()[:8]}.pth"


def hubconf(*entrypoints: str) -> Files:
    head = 'dependencies = ["torch"]\nimport torch\n\n\n'
    return {"hubconf.py": head + "\n\n".join(entrypoints), "LICENSE": "BSD"}


def loading(url: str, name: str = "net") -> str:
    return f'''
def {name}(pretrained=False):
    """A linear layer."""
    model = torch.nn.Linear(3, 2)
    if pretrained:
        state = torch.hub.load_state_dict_from_url(
            "{url}", map_location="cpu", weights_only=True, check_hash=True, progress=False
        )
        model.load_state_dict(state)
    return model
'''


class Verify:
    """Runs ``hubpub verify`` and reads its JSON report."""

    def __init__(self, hubpub: RunHubpub, folder: Path) -> None:
        self._hubpub, self._file = hubpub, folder / "report.json"

    def __call__(self, *args: str | Path) -> Verify:
        self.done = self._hubpub(
            "verify", *args, "--output-format", f"json:{self._file}", "--output-format", "text"
        )
        assert "Traceback" not in self.done.stderr, self.done.stderr
        self.report: dict[str, Any] = json.loads(self._file.read_text())
        return self

    @property
    def text(self) -> str:
        return self.done.stdout + self.done.stderr

    def result(self, name: str, case: str = "default", device: str = "cpu") -> dict[str, Any]:
        (entrypoint,) = [item for item in self.report["entrypoints"] if item["name"] == name]
        (found,) = [
            item
            for item in entrypoint["results"]
            if (item["case"], item["device"]) == (case, device)
        ]
        result: dict[str, Any] = found
        return result

    def axis(self, name: str, axis: str, case: str = "default") -> tuple[str, str | None]:
        found = self.result(name, case)["axes"][axis]
        return found["status"], found["reason"]

    def findings(self, name: str) -> list[dict[str, Any]]:
        return [item for item in self.report["findings"] if item["name"] == name]


@pytest.fixture
def verify(hubpub: RunHubpub, tmp_path: Path) -> Verify:
    return Verify(hubpub, tmp_path)


def test_a_release_is_proven(
    repository: MakeRepository, verify: Verify, http_server: Server
) -> None:
    data = weights()
    name = stamped(data)
    http_server.serve({
        f"/v1/{name}": (302, {"Location": f"/cdn/{name}"}, b""),
        f"/cdn/{name}": data,
    })  # fmt: skip
    url = http_server.url(f"/v1/{name}")
    in_tree = stamped(data, "tree")
    entry = f'''
def in_tree():
    """Weights that lie in the tree."""
    import os
    path = os.path.join(os.path.dirname(__file__), "{in_tree}")
    model = torch.nn.Linear(3, 2)
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return model
'''
    published = repository({**hubconf(loading(url), entry), in_tree: data})

    run = verify("octo/net:v1.0", "--allow-host", http_server.host)

    assert run.done.returncode == 0, run.text
    report = run.report
    assert report["status"] == "pass"
    assert report["commit"] == published.git("rev-parse", "v1.0")
    assert report["tree"] == published.git("rev-parse", "v1.0^{tree}")
    assert report["reference"] == {
        "owner": "octo",
        "repo": "net",
        "ref": "v1.0",
        "kind": "tag",
        "requested": "v1.0",
        "url": None,
    }
    assert report["sandbox"]["tier"] == "bwrap"
    assert all(report["sandbox"]["features"].values())
    assert [item["name"] for item in report["entrypoints"]] == ["in_tree", "net"]
    for case in ("default", "pretrained"):
        assert run.axis("net", "loads", case) == ("pass", None)
    assert run.axis("net", "weights", "pretrained") == ("pass", None)
    assert run.axis("net", "weights_only", "pretrained") == ("pass", None)
    assert run.axis("net", "weights") == ("skipped", "no checkpoint used")
    assert run.axis("in_tree", "weights") == ("pass", None)
    assert run.result("net")["claims"]["type"] == "Linear"
    assert run.result("net")["claims"]["parameters"] == 8
    assert run.result("net")["facts"]["ended"] == "exit"
    assert run.result("net")["facts"]["peak_bytes"] > 1 << 20
    (checkpoint,) = report["checkpoints"]  # one content, two places
    assert checkpoint["sha256"] == hashlib.sha256(data).hexdigest()
    assert checkpoint["stamp"]["status"] == "match"
    assert checkpoint["urls"] == [url, http_server.url(f"/cdn/{name}")]
    assert checkpoint["entrypoints"] == ["in_tree", "net"]
    assert checkpoint["path"] == in_tree
    assert [entry["status"] for entry in report["network"]] == [302, 200]
    assert "pass: 2 entrypoints" in run.done.stdout


def test_every_result_has_every_axis_and_cuda_is_skipped_with_its_reason(
    repository: MakeRepository, verify: Verify
) -> None:
    repository(hubconf(loading("https://example.org/x.pth")))
    run = verify("octo/net:v1.0", "--device", "auto")
    for entrypoint in run.report["entrypoints"]:
        for result in entrypoint["results"]:
            assert tuple(result["axes"]) == AXES
            for axis in result["axes"].values():
                assert axis["status"] == "pass" or axis["reason"]
    if not list(Path("/dev").glob("nvidia[0-9]*")):
        result = run.result("net", device="cuda")
        assert result["facts"] is None
        assert result["axes"]["loads"]["status"] == "skipped"
        assert "CUDA" in result["axes"]["loads"]["reason"]
        refused = verify("octo/net:v1.0", "--device", "cuda")
        assert refused.done.returncode == 4
        assert refused.report["status"] == "error"


BAD = {
    "good": "def good():\n    'Fine.'\n    return torch.nn.Linear(1, 1)\n",
    "raises": "def raises():\n    'x'\n    raise RuntimeError('weights are\\x1b[31m gone')\n",
    "leaves": "def leaves():\n    'x'\n    import os\n    os._exit(0)\n",
    "exits": "def exits():\n    'x'\n    raise SystemExit(0)\n",
    "loops": "def loops():\n    'x'\n    while True:\n        pass\n",
    "crashes": "def crashes():\n    'x'\n    import os\n    os.abort()\n",
    "nothing": "def nothing():\n    'x'\n",
    "needs": "def needs(size):\n    'x'\n    return torch.nn.Linear(size, size)\n",
    "absent": "def absent():\n    'x'\n    import no_such_package_at_all\n",
    "hungry": "def hungry():\n    'x'\n    return torch.ones(1 << 40)\n",
    "talks": "def talks():\n    'x'\n    while True:\n        print('flood' * 1000)\n",
    "forges": (
        "def forges():\n    'x'\n    import os\n"
        '    os.write(3, b\'{"ok": true, "type": "GPT-9"}\')\n    os._exit(0)\n'
    ),
    "slow_host": (
        "def slow_host():\n    'x'\n"
        "    torch.hub.load_state_dict_from_url('https://weights.example/m-0a1b2c3d.pth')\n"
    ),
}


def test_bad_entrypoints_are_named_and_the_others_still_run(
    repository: MakeRepository, verify: Verify
) -> None:
    repository(hubconf(*BAD.values()))
    run = verify("octo/net:v1.0", "--timeout", "4", "--output-limit", "2MiB")

    assert run.done.returncode == 1
    assert run.report["status"] == "fail"
    assert {item["name"] for item in run.report["entrypoints"]} == set(BAD)
    assert run.axis("good", "loads") == ("pass", None)
    expected = {
        "raises": "RuntimeError: weights are",
        "leaves": "left with status 0 before torch.hub.load returned",
        "exits": "SystemExit: 0",
        "loops": "time limit (--timeout)",
        "crashes": "signal 6",
        "nothing": "returns None",
        "needs": "needs arguments: size",
        "absent": "No module named 'no_such_package_at_all'",
        "hungry": "more memory",
        "talks": "more output than the limit",
        "forges": "left with status 0",
        "slow_host": "HTTP Error 403",
    }
    for name, text in expected.items():
        status, reason = run.axis(name, "loads")
        assert (status, text in str(reason)) == ("fail", True), (name, reason)
        assert any(name in finding["message"] for finding in run.findings("loads")), name
    ended = {name: run.result(name)["facts"]["ended"] for name in BAD}
    assert ended == {
        **dict.fromkeys(BAD, "exit"),
        "loops": "timeout",
        "crashes": "signal",
        "hungry": "memory",
        "talks": "output",
    }
    assert 'kwargs = { size = "..." }' in run.text
    assert "--allow-host weights.example" in run.text
    assert "\x1b" not in run.text
    (place,) = [item for item in run.findings("loads") if item["entrypoint"] == "raises"]
    assert (place["path"], place["line"] > 1) == ("hubconf.py", True)
    lines = place["excerpt"]["lines"]
    assert "raise " in lines[place["line"] - place["excerpt"]["first_line"]]


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({"README.md": "no hubconf here"}, "hubconf.py"),
        ({"hubconf.py": "def net(:\n"}, "SyntaxError"),
        ({"hubconf.py": "raise ImportError('build me first')\n"}, "build me first"),
        ({"hubconf.py": "import os\nos._exit(0)\n"}, "left with status 0"),
        ({"hubconf.py": "import sys\nsys.exit(0)\n"}, "SystemExit"),
        ({"hubconf.py": "dependencies = ['torch']\n"}, "no entrypoint"),
    ],
    ids=["no hubconf", "syntax", "raises", "os._exit", "sys.exit", "no entrypoint"],
)
def test_a_repository_that_cannot_be_listed_is_exit_1(
    repository: MakeRepository, verify: Verify, files: Files, text: str
) -> None:
    repository(files)
    run = verify("octo/net:v1.0")
    assert run.done.returncode == 1, run.text
    assert run.report["status"] == "fail"
    assert run.report["entrypoints"] == []
    assert text in run.text


@pytest.mark.parametrize(
    ("target", "code", "text"),
    [
        ("octo/net:v9", 4, "no branch or tag 'v9'"),
        ("octo/other", 4, "holds no octo/other"),
        ("octo/net:", 2, "empty ref"),
        ("https://github.com/octo/net", 2, "use octo/net"),
        ("octo", 2, "no owner/repo"),
        ("./nowhere", 2, "not a directory"),
    ],
)
def test_what_cannot_be_verified_says_what_to_do(
    repository: MakeRepository, hubpub: RunHubpub, target: str, code: int, text: str
) -> None:
    repository(hubconf(BAD["good"]))
    done = hubpub("verify", target)
    assert done.returncode == code
    assert text in done.stderr
    assert "Traceback" not in done.stderr


def test_downloads_that_are_not_whole_or_not_weights_fail(
    repository: MakeRepository, verify: Verify, http_server: Server
) -> None:
    """torch.hub itself accepts a short body, and caches a page, without a word."""
    data = weights()
    http_server.serve({
        "/short.pth": Response(200, {"Content-Length": str(len(data) + 5)}, data),
        "/page.pth": b"<!DOCTYPE html><title>Not found</title>",
        "/net-0a1b2c3d.pth": data,
        "/code.pth": pickled_code(),
    })  # fmt: skip
    fetch = '    path = torch.hub.get_dir() + "/checkpoints/{0}.pth"\n'
    fetch += "    import os; os.makedirs(os.path.dirname(path))\n"
    fetch += '    torch.hub.download_url_to_file("{1}", path, progress=False)\n'
    fetch += "    return torch.nn.Linear(1, 1)\n"
    names = ("short", "page", "net-0a1b2c3d")
    entries = [
        f"def {name.split('-')[0]}():\n    'x'\n"
        + fetch.format(name, http_server.url(f"/{name}.pth"))
        for name in names
    ]
    entries.append(
        "def code():\n    'x'\n"
        f"    url = '{http_server.url('/code.pth')}'\n"
        "    torch.hub.load_state_dict_from_url(url, progress=False)\n"
        "    return torch.nn.Linear(1, 1)\n"
    )
    repository(hubconf(*entries))

    run = verify("octo/net:v1.0", "--allow-host", http_server.host)

    assert run.done.returncode == 1
    assert run.axis("short", "loads")[0] == "fail"
    assert "of" in str(run.axis("short", "loads")[1])
    assert run.result("short")["facts"]["ended"] == "download"
    assert "HTML page" in str(run.axis("page", "loads")[1])
    assert run.axis("net", "weights")[0] == "fail"
    assert "0a1b2c3d" in str(run.axis("net", "weights")[1])
    assert run.axis("code", "loads")[0] == "pass"
    assert run.axis("code", "weights_only")[0] == "fail"
    by_name = {item["filename"]: item for item in run.report["checkpoints"]}
    assert "page.pth" not in by_name
    assert by_name["code.pth"]["unsafe_globals"] == ["posix.system"]
    assert by_name["code.pth"]["weights_only"]["status"] == "fail"
    assert by_name["net-0a1b2c3d.pth"]["stamp"] == {"prefix": "0a1b2c3d", "status": "mismatch"}


def pickled_code() -> bytes:
    """A checkpoint that runs ``true`` when it is unpickled."""

    class Runs:
        def __reduce__(self) -> Any:
            return os.system, ("true",)

    buffer = io.BytesIO()
    torch.save({"weight": Runs()}, buffer)
    return buffer.getvalue()


def test_two_urls_with_one_cache_name_fail_the_run(
    repository: MakeRepository, verify: Verify, http_server: Server
) -> None:
    small, large = weights(1), weights(2)
    http_server.serve({"/small/weights.pth": small, "/large/weights.pth": large})
    repository(
        hubconf(
            loading(http_server.url("/small/weights.pth"), "small"),
            loading(http_server.url("/large/weights.pth"), "large"),
        )
    )
    run = verify("octo/net:v1.0", "--allow-host", http_server.host)
    assert run.axis("small", "loads", "pretrained") == ("pass", None)
    (clash,) = run.findings("cache-name-clash")
    assert "/small/weights.pth" in clash["message"]
    assert "/large/weights.pth" in clash["message"]
    assert run.done.returncode == 1
    statuses = {item["stamp"]["status"] for item in run.report["checkpoints"]}
    assert statuses == {"vacuous"}  # check_hash=True verified nothing


ENUMERATED = """
import enum

class _Net_Weights(enum.Enum):
    IMAGENET = "x"
    DEFAULT = "x"

def net(*, weights: "_Net_Weights | None" = None, progress=True):
    "As torchvision has it."
    if weights is not None:
        torch.hub.load_state_dict_from_url("URL", progress=False)
        assert _Net_Weights[weights] is _Net_Weights.DEFAULT
    return torch.nn.Linear(1, 1)

def path(weights: "str | None" = None):
    "A path of its own."
    assert weights is None
    return torch.nn.Linear(1, 1)

def both(pretrained=False, weights: "_Net_Weights | None" = None):
    "x"
    assert weights is None
    return torch.nn.Linear(1, 1)
"""


def test_a_switch_for_weights_is_tried_both_ways(
    repository: MakeRepository, verify: Verify, http_server: Server
) -> None:
    http_server.serve({"/m.pth": weights(1)})
    repository(hubconf(ENUMERATED.replace("URL", http_server.url("/m.pth"))))
    run = verify("octo/net:v1.0", "--allow-host", http_server.host)
    found = {
        entry["name"]: [item["case"] for item in entry["results"] if item["device"] == "cpu"]
        for entry in run.report["entrypoints"]
    }
    two = ["default", "pretrained"]
    assert found == {"net": two, "path": ["default"], "both": two}
    assert run.axis("net", "loads", "pretrained") == ("pass", None)
    assert [request["url"] for request in run.report["network"]] == [http_server.url("/m.pth")]


def test_settings_of_the_tree_give_arguments_and_skips(
    repository: MakeRepository, verify: Verify
) -> None:
    settings = """
[tool.hubpub.verify.entrypoints.needs]
kwargs = { size = 3 }
[tool.hubpub.verify.entrypoints.raises]
skip = { reason = "weights move next week", until = 2999-01-01 }
[tool.hubpub.verify.entrypoints.good]
skip = { reason = "long ago", until = 2020-01-01 }
"""
    files = hubconf(BAD["needs"], BAD["raises"], BAD["good"])
    repository({**files, "pyproject.toml": settings})
    run = verify("octo/net:v1.0")
    assert run.axis("needs", "loads") == ("pass", None)
    assert run.axis("raises", "loads")[0] == "skipped"
    assert "weights move next week" in str(run.axis("raises", "loads")[1])
    assert run.findings("expired-skip")
    assert run.done.returncode == 1


def test_documented_is_what_help_really_shows(repository: MakeRepository, verify: Verify) -> None:
    entries = (
        "def told():\n    'Two layers.'\n    return object\n",
        "def blank():\n    ' \\n '\n    return object\n",
        "def bare():\n    return object\n",
        "import functools as _functools\npart = _functools.partial(told)\n",
    )
    repository(hubconf(*entries))
    run = verify("octo/net:v1.0")
    statuses = {name: run.axis(name, "documented")[0] for name in ("told", "blank", "bare", "part")}
    assert statuses == {"told": "pass", "blank": "fail", "bare": "fail", "part": "fail"}
    assert run.done.returncode == 0  # an axis that is not required warns


def test_zero_jobs_run_is_never_a_pass(repository: MakeRepository, verify: Verify) -> None:
    skip = 'skip = { reason = "later", until = 2999-01-01 }'
    settings = f"[tool.hubpub.verify.entrypoints.good]\n{skip}\n"
    repository({**hubconf(BAD["good"]), "pyproject.toml": settings})
    run = verify("octo/net:v1.0")
    assert (run.done.returncode, run.report["status"]) == (1, "fail")


def test_a_local_path_and_its_working_tree(repository: MakeRepository, verify: Verify) -> None:
    published = repository(hubconf(BAD["good"]))
    published.write({"hubconf.py": "broken("})
    run = verify(published.path)
    assert (run.done.returncode, run.report["reference"]["kind"]) == (0, "branch")
    run = verify(published.path, "--working-tree")
    assert (run.done.returncode, run.report["reference"]["kind"]) == (1, "worktree")
    assert run.report["commit"] is None


def test_json_on_stdout_is_nothing_but_json(repository: MakeRepository, hubpub: RunHubpub) -> None:
    import jsonschema

    repository(hubconf("print('::warning::noise')", BAD["good"]))
    done = hubpub("verify", "octo/net:v1.0", "--output-format", "json")
    jsonschema.Draft202012Validator(schema()).validate(json.loads(done.stdout))
    assert "::warning" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--output-format", "yaml"),
        ("--output-format", "json:/nonexistent/folder/x.json"),
        ("--output-format", "json", "--output-format", "text"),
        ("--memory", "lots"),
        ("--timeout", "0"),
        ("--allow-host", "http://x"),
        ("--device", "tpu"),
    ],
)
def test_wrong_options_are_exit_2_before_anything_runs(
    hubpub: RunHubpub, arguments: tuple[str, ...]
) -> None:
    done = hubpub("verify", "octo/net", *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "fetched" not in done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_nothing(
    repository: MakeRepository, mirror: Mirror, tmp_path: Path, number: int, code: int
) -> None:
    repository(hubconf("def net():\n    import time\n    time.sleep(600)\n"))
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environment = clean_environment(mirror.home)
    environment |= {"HUBPUB_GITHUB_URL": mirror.url, "TMPDIR": str(temporary)}
    file = tmp_path / "report.json"
    command = [sys.executable, "-m", "hubpub", "verify", "octo/net:v1.0"]
    command += ["--output-format", f"json:{file}"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if line.startswith("listed"):
                break
        inside = _descendants(running.pid)
        assert len(inside) >= 2
        running.send_signal(number)
        rest = running.stderr.read()
    assert running.returncode == code, rest
    assert "Traceback" not in rest
    assert not list(temporary.iterdir())
    assert not _alive(inside)
    assert json.loads(file.read_text())["status"] == "interrupted"


def _descendants(pid: int) -> set[int]:
    """The processes below ``pid`` that are alive: bwrap, the supervisor, the job."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rsplit(")", 1)[1].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def _alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if Path(f"/proc/{pid}").exists()}


def test_cpu_time_has_a_limit_that_says_so(repository: MakeRepository, verify: Verify) -> None:
    repository(hubconf(BAD["loops"]))
    run = verify("octo/net:v1.0", "--cpu-time", "1", "--timeout", "60")
    assert run.axis("loops", "loads") == ("fail", "more CPU time than the limit (--cpu-time)")
    assert run.result("loops")["facts"]["ended"] == "cpu"


def test_the_deadline_is_of_the_whole_run(
    repository: MakeRepository, hubpub: RunHubpub, tmp_path: Path
) -> None:
    """A git server that accepts and never answers."""
    repository(hubconf(BAD["good"]))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        done = hubpub(
            *("verify", "octo/net:v1.0", "--deadline", "1", "--github-url", url), timeout=30
        )
    assert done.returncode == 4, done.stderr
    assert "--deadline" in done.stderr


def test_a_strict_umask_hides_nothing_from_the_sandbox(
    repository: MakeRepository, verify: Verify
) -> None:
    package = {"pk/deep/net.py": "def net():\n  return 1\n"}
    repository({**hubconf("from pk.deep.net import net"), **package})
    before = os.umask(0o077)
    try:
        run = verify("octo/net:v1.0")
    finally:
        os.umask(before)
    assert run.axis("net", "loads") == ("pass", None), run.text


def test_a_terminal_sees_a_live_table(
    repository: MakeRepository, mirror: Mirror, tmp_path: Path
) -> None:
    repository(hubconf(BAD["good"], BAD["raises"]))
    environment = clean_environment(mirror.home) | {
        "HUBPUB_GITHUB_URL": mirror.url,
        "TERM": "xterm-256color",
        "COLUMNS": "120",
    }
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "hubpub", "verify", "octo/net:v1.0"]
    with subprocess.Popen(
        command, env=environment, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs
    ) as running:
        os.close(theirs)
        seen = b""
        while True:
            try:
                chunk = os.read(ours, 4096)
            except OSError:  # the terminal's other end is closed
                break
            seen += chunk
        assert running.stdout is not None
        text = running.stdout.read().decode()
    os.close(ours)
    assert running.returncode == 1
    assert b"entrypoint" in seen
    assert b"loads in" in seen
    assert "\x1b" not in text
    assert "fail: 2 entrypoints" in text


def test_a_name_in_the_cache_of_huggingface_hub_is_a_checkpoint(
    repository: MakeRepository, verify: Verify
) -> None:
    entry = '''
def net():
    """As huggingface_hub leaves a file: by its hash, with its name as a link."""
    import hashlib, os
    model = torch.nn.Linear(3, 2)
    top = os.path.expanduser("~/.cache/huggingface/hub/models--octo--net")
    for folder in ("blobs", "snapshots/c0ffee"):
        os.makedirs(os.path.join(top, folder))
    torch.save(model.state_dict(), "weights.tmp")
    with open("weights.tmp", "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    os.replace("weights.tmp", os.path.join(top, "blobs", digest))
    name = os.path.join(top, "snapshots/c0ffee/model.pth")
    os.symlink("../../blobs/" + digest, name)
    model.load_state_dict(torch.load(name, map_location="cpu", weights_only=True))
    return model
'''
    repository(hubconf(entry))
    verify("octo/net:v1.0", "--device", "cpu")
    assert verify.axis("net", "weights")[0] == "skipped", verify.text  # it has no stamp
    (checkpoint,) = verify.report["checkpoints"]
    assert (checkpoint["filename"], checkpoint["format"]) == ("model.pth", "zip")
    assert checkpoint["weights_only"]["status"] == "pass"
