"""What an attacker tried against our own code, and got; each row is mended and stays as a test."""

from __future__ import annotations

import json
import stat
import struct
import subprocess
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bench import Bench, bench

from conftest import MakeRepository, RunHubpub
from hubpub.errors import CannotVerifyError
from hubpub.verify import axes
from hubpub.verify.checkpoints import Ledger
from hubpub.verify.egress import Request
from hubpub.verify.formats import file_format
from hubpub.verify.git import Git
from hubpub.verify.harvest import origins, remove
from hubpub.verify.jobs import Done
from hubpub.verify.report import Axis, Checkpoint, Facts, StampReport
from publishing import Mirror, clean_environment
from reporting import document


@pytest.mark.sandbox  # so that it runs as an ordinary user too, whose way of deleting is another
def test_deleting_a_link_that_stands_for_a_jobs_directory_changes_nothing_behind_it(
    tmp_path: Path,
) -> None:
    """A job can put a link to the home of the one who verifies in the place of its directory."""
    home = tmp_path / "home"
    home.mkdir()
    key = home / "key"
    key.write_text("secret")
    key.chmod(0o400)
    home.chmod(0o500)
    job = tmp_path / "job1"
    job.symlink_to(home, target_is_directory=True)
    remove(job)
    assert not job.is_symlink()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (home, key)] == [0o500, 0o400]
    home.chmod(0o700)


def _request(url: str, **fields: Any) -> Request:
    return Request("job1", "GET", url, "allowed", **fields)


def test_ten_thousand_requests_for_one_file_are_judged_at_once() -> None:
    """The parent looked for the way to every one of them among all others: hours, no deadline."""
    log = [_request("https://x/a", status=302, location="/m-00000000.pth", sha256="1" * 64)]
    log += [_request("https://x/m-00000000.pth", status=200, sha256="f" * 64)] * 10_000
    facts = Facts(0, None, 1.0, 1.0, 1, "exit")
    evidence = axes.Evidence(
        "net", {}, frozenset(), False, False, facts, {"ok": True}, tuple(log), (), (), ()
    )
    verdict = axes.judge(evidence)["weights"]
    assert (verdict.axis.status, verdict.axis.reason) == (
        "fail",
        "m-00000000.pth says 00000000, the sha256 of the download begins with ffffffff",
    )


def test_a_chain_of_redirects_that_no_client_follows_is_not_kept_for_every_end() -> None:
    log = [_request(f"https://x/{i}", status=302, location=f"/{i + 1}") for i in range(5000)]
    log += [_request("https://x/5000", status=200, sha256=f"{i:064x}") for i in range(5000)]
    led = origins(log)
    assert len(led) == 5000
    assert max(map(len, led.values())) < 50


def _done(folder: Path, opened: list[str]) -> Done:
    facts = Facts(0, None, 1.0, 1.0, 1, "exit")
    return Done(facts, {"ok": True, "opened": opened}, (), (), folder, "/scratch/job1", "/tree")


def _pass(path: str) -> dict[str, str]:
    return {"weights_only": "pass"}


def test_a_name_that_no_file_can_have_is_no_file_that_a_job_opened(tmp_path: Path) -> None:
    names = ["x" * 300, "a/" * 2500 + "b", "\0.pt", "\ud800.pt", "", ".", "/etc/passwd", "../x.pt"]
    found = Ledger(frozenset()).enter("net", _done(tmp_path, names), tmp_path, _pass)
    assert found.checkpoints == ()


def test_a_file_of_the_tree_is_read_once_however_often_jobs_say_that_they_opened_it(
    tmp_path: Path,
) -> None:
    """A thousand names of one file of gigabytes would keep the parent beyond any deadline."""
    (tmp_path / "d").mkdir()
    file = tmp_path / "d/m.pt"
    file.write_bytes(b"weights")
    ledger = Ledger(frozenset())
    names = ["d/m.pt", "d//m.pt", "./d/m.pt", "d/./m.pt", *["d/m.pt"] * 900]
    (first,) = ledger.enter("net", _done(tmp_path, names), tmp_path, _pass).checkpoints
    file.write_bytes(b"other")  # the tree is read-only to jobs: who reads it again sees this
    (second,) = ledger.enter("net", _done(tmp_path, names), tmp_path, _pass).checkpoints
    assert (first.path, first.sha256) == ("d/m.pt", second.sha256)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("attacks")) as made:
        yield made


RETURNS = "return torch.nn.Linear(1, 1)"
AT_THE_SUPERVISOR = {
    "a mapping whose name ends a line": """
path = "/scratch/a\\rb (deleted)"
with open(path, "wb+") as file:
    file.write(bytes(4096))
    file.flush()
    kept = mmap.mmap(file.fileno(), 4096)
time.sleep(1)
""",
}


@pytest.mark.sandbox
@pytest.mark.parametrize("what", AT_THE_SUPERVISOR)
def test_the_supervisor_outlives(run: Bench, what: str) -> None:
    done = run(AT_THE_SUPERVISOR[what] + RETURNS)
    assert (done.facts.ended, done.facts.exit) == ("exit", 0)


BEFORE_THE_NEXT = {
    "closes the scratch": "os.chmod('/scratch', 0o500)",
    "closes the scratch to everybody": "os.chmod('/scratch', 0)",
    "closes what is shared": "os.chmod('/tmp', 0); os.chmod('/dev/shm', 0)",
    "takes the names of the next": """
for number in range(1000):
    if not os.path.exists(f"/scratch/job{number}"):
        os.close(os.open(f"/scratch/job{number}", os.O_CREAT, 0))
""",
    "leaves a queue": """
mq_open = {"x86_64": 240, "aarch64": 180}[os.uname().machine]
assert libc.syscall(mq_open, b"left", os.O_CREAT | os.O_RDWR, 0o600, None) < 0
""",
    "pins the supervisor": """
if os.cpu_count() > 1:
    try:
        os.sched_setaffinity(1, {0})
    except PermissionError:
        pass
    else:
        raise RuntimeError("pinned")
ioprio_set = {"x86_64": 251, "aarch64": 30}[os.uname().machine]
assert libc.syscall(ioprio_set, 1, 1, 3 << 13) < 0
""",
    "leaves a time": "os.utime('/tmp', (7, 7))",
    "leaves an attribute": """
try:
    os.setxattr("/tmp", "user.left", b"x")
except OSError:
    pass
""",
}
LOOKS = """
assert os.stat("/tmp").st_mtime != 7
assert "user.left" not in os.listxattr("/tmp")
with open("/tmp/here", "w") as file:
    file.write("x")
"""


@pytest.mark.sandbox
@pytest.mark.parametrize("what", BEFORE_THE_NEXT)
def test_a_job_leaves_the_next_one_alone(run: Bench, what: str) -> None:
    first = run(BEFORE_THE_NEXT[what] + "\n" + RETURNS)
    assert (first.facts.ended, first.facts.exit) == ("exit", 0)
    # The job that re-reads a checkpoint runs in the same sandbox.
    assert (run.jobs.inspect("/tree/none") or {}).get("weights_only") == "fail"
    then = run(LOOKS + RETURNS)
    assert (then.facts.ended, then.facts.exit) == ("exit", 0)


def _zip_with_many_names(count: int, *, hidden: str) -> bytes:
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", *[0] * 16)
    body = b"PK\x03\x04" + bytes(26)
    size, start = count * len(entry), len(body)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, size, start, 0)
    if hidden == "by its record of zip64":
        whole = body + entry * count
        end = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, start)
        end += struct.pack("<4sLQL", b"PK\x06\x07", 0, len(whole), 1)
        end += struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, 46, start, 0)
    elif hidden == "by a second signature":
        end = end[:16] + b"PK\x05\x06" + end[20:]
    return body + entry * count + end


@pytest.mark.parametrize(
    "hidden", ["in nothing", "by its record of zip64", "by a second signature"]
)
def test_a_zip_of_a_million_names_is_not_taken_apart(tmp_path: Path, hidden: str) -> None:
    """zipfile needs half a gigabyte for them; the size that was looked at was another one."""
    file = tmp_path / "m.pt"
    file.write_bytes(_zip_with_many_names(1_000_000, hidden=hidden))
    tracemalloc.start()
    try:
        assert file_format(file) == "unknown"
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


NAMES_FOR_NO_FILE = {
    "a long name": "x" * 300,
    "a long path": "d/" * 2500 + "x",
}


@pytest.mark.parametrize("what", NAMES_FOR_NO_FILE)
def test_a_tree_that_no_disk_can_hold_is_refused(
    hubpub: RunHubpub, repository: MakeRepository, what: str
) -> None:
    published = repository({"hubconf.py": "dependencies = ['torch']\n"})
    blob = published.git("rev-parse", "HEAD:hubconf.py").strip()
    published.git(
        "update-index", "--add", "--cacheinfo", f"100644,{blob},{NAMES_FOR_NO_FILE[what]}"
    )
    commit = published.git("commit-tree", published.git("write-tree").strip(), "-m", "x").strip()
    published.git("tag", "v6.6", commit)
    done = hubpub("verify", "octo/net:v6.6")
    assert "defect" not in done.stderr
    assert (done.returncode, "cannot be laid out" in done.stderr) == (4, True), done.stderr


def test_a_tree_that_cannot_be_weighed_is_not_unpacked(
    repository: MakeRepository, mirror: Mirror, tmp_path: Path
) -> None:
    """The listing may fail where the archive, which leaves ``export-ignore`` out, does not."""
    published = repository({"hubconf.py": "", ".gitattributes": "a export-ignore\n"})
    git = Git(tmp_path, "https://github.com/octo/net", 60.0)
    git("init", "--bare", "--quiet", "--template=", str(git.bare))
    with pytest.raises(CannotVerifyError, match="ls-tree"):
        git.weigh("1" * 40)
    assert published.git("status", "--porcelain") == ""


@pytest.mark.parametrize("stream", [1, 2])
def test_what_git_says_without_end_is_not_kept(tmp_path: Path, stream: int) -> None:
    git = Git(tmp_path, "https://github.com/octo/net", 60.0)
    git("init", "--bare", "--quiet", "--template=", str(git.bare))
    config = f"alias.flood=!head -c 300000000 /dev/zero >&{stream}; sleep 600"
    tracemalloc.start()
    try:
        with pytest.raises(CannotVerifyError, match="says more than"):
            git("-c", config, "flood")
        assert tracemalloc.get_traced_memory()[1] < 128 << 20
    finally:
        tracemalloc.stop()


def test_a_name_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    git = Git(tmp_path, "https://github.com/octo/net", 60.0)
    git("init", "--bare", "--quiet", "--template=", str(git.bare))
    environment = clean_environment(tmp_path) | {"GIT_DIR": str(git.bare)}
    blob = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    entry = f"100644 blob {blob}\t{'n' * (64 << 20)}\0"
    subprocess.run(["git", "hash-object", "-w", "/dev/null"], env=environment, check=True)
    made = subprocess.run(
        ["git", "mktree", "-z"], input=entry.encode(), env=environment, check=True,
        capture_output=True,
    )  # fmt: skip
    with pytest.raises(CannotVerifyError, match="name"):
        git.weigh(made.stdout.decode().strip())


CLAIMS = {
    "an empty error": {"ok": False, "error": {}},
    "an error without a name": {"ok": False, "error": {"type": "", "message": ""}},
    "an error of nothing known": {"ok": False, "error": {"type": 3, "frame": {"line": -1}}},
    "half characters": {
        "ok": False,
        "type": "\ud800",
        "module": "\udcff\x1b]52;c;x\x07",
        "error": {"type": "\udfff", "message": "\udcff\n::error::x\u202e"},
    },
    "a frame elsewhere": {
        "ok": False,
        "error": {"type": "E", "frame": {"path": "/etc/\ud800\n::error::x", "line": 2**62}},
    },
    "opened": {"ok": True, "opened": ["x" * 3999, "\ud800.pt", "\0", "hubconf.py", "."]},
}
SAYS = """
def _nonce():
    frame = sys._getframe()
    while frame:
        request = frame.f_locals.get("request")
        if isinstance(request, dict) and "nonce" in request:
            return request["nonce"]
        frame = frame.f_back

import json
os.write(3, json.dumps({"nonce": _nonce(), **CLAIM}).encode())
os._exit(0 if CLAIM["ok"] else 1)
"""


@pytest.mark.sandbox
@pytest.mark.parametrize("output", ["text", "markdown", "html", "github", "json"])
def test_any_claims_end_in_a_report_that_says_them_harmlessly(
    hubpub: RunHubpub, repository: MakeRepository, output: str
) -> None:
    body = "".join(f"    {line}\n" for line in SAYS.strip().splitlines())
    hubconf = "dependencies = ['torch']\nimport os, sys, torch\n"
    for number, claim in enumerate(CLAIMS.values()):
        hubconf += f"def n{number}():\n    'x'\n    CLAIM = {claim!r}\n{body}\n"
    repository({"hubconf.py": hubconf})
    done = hubpub("verify", "octo/net:v1.0", "--device", "cpu", "--output-format", output)
    assert "defect" not in done.stderr
    assert done.returncode == 1
    shown = done.stdout + done.stderr
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)
    assert "\n::error::x" not in shown


def _evil(prefix: bytes) -> bytes:
    return prefix + b"0cos\ngetcwd\n(tR." + bytes(70_000)


AS_SAFETENSORS = {
    "a text of four characters": b"X\4\0\0\0\0\0\0{",
    "a text that goes on in the header": b"X\4\1\0\0\0\0\0{" + b" " * 256,
    "bytes": b"B\4\0\0\0\0\0\0{",
    "a short text": b"U\7\0\0\0\0\0\0{",
    "a line": b"V\4\0\0\0\0\0\0{\n",
    "two numbers": b"K\1J\0\0\0\0\0{"[:9],
}


@pytest.mark.parametrize("what", AS_SAFETENSORS)
def test_a_pickle_that_begins_like_safetensors_is_none(tmp_path: Path, what: str) -> None:
    """It counted as a file that needs no code, and nobody looked into it."""
    file = tmp_path / "m.pt"
    file.write_bytes(_evil(AS_SAFETENSORS[what]))
    assert file_format(file) != "safetensors"


ENTRY = b'{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}'


def _safetensors(length: int, header: bytes) -> bytes:
    """A whole file of safetensors with a header of this length."""
    return length.to_bytes(8, "little") + header.ljust(length) + b"data"


@pytest.mark.parametrize(
    ("length", "header", "found"),
    [
        # An unpickler takes the length for the beginning of a text, and comes out in the header.
        (0x0958, b'{"abcdcos"\n:\n' + ENTRY, "unknown"),
        (0x0958, b'{"abcdxos"\n:\n' + ENTRY, "safetensors"),  # where it meets no code
        (0x0958, b'{"abcd(ios"\n:\n' + ENTRY, "unknown"),
        (0x0958, b'{"abcdiios"\n:\n' + ENTRY, "safetensors"),  # a code that needs a mark
        (0x0558, b'{".":' + ENTRY, "unknown"),  # it ends, and what comes next is read afresh
        (0x4B58, b'{"' + b"(" * 0x4A00 + b'":' + ENTRY, "unknown"),  # more codes than are looked at
        (0x3C20, b'{"a":' + ENTRY, "safetensors"),  # a page would begin so, too
        (0x203C, b'{"a":' + ENTRY, "safetensors"),
    ],
)
def test_a_file_that_is_safetensors_and_a_pickle_at_once_is_not_taken_for_the_former(
    tmp_path: Path, length: int, header: bytes, found: str
) -> None:
    (tmp_path / "m.pt").write_bytes(_safetensors(length, header))
    assert file_format(tmp_path / "m.pt") == found


def test_a_file_of_safetensors_is_one_whatever_its_length_is(tmp_path: Path) -> None:
    """One in thirty was not: its length began as a pickle does."""
    for length in range(0x0100, 0x1800, 8):
        (tmp_path / "m.pt").write_bytes(_safetensors(length, b'{"weight":' + ENTRY))
        assert file_format(tmp_path / "m.pt") == "safetensors", hex(length)


def test_weights_that_were_swapped_after_they_were_loaded_do_not_pass() -> None:
    """A job can load one file, and leave another in its place: the parent saw the download."""
    clean = Checkpoint(
        "m.pth", "a" * 64, 1, StampReport(None, "match"), (), ("net",), Axis("pass"), (), "zip"
    )
    log = (_request("https://x/evil.pth", status=200, sha256="e" * 64),)
    facts = Facts(0, None, 1.0, 1.0, 1, "exit")
    evidence = axes.Evidence(
        "net", {}, frozenset(), False, False, facts, {"ok": True}, log, (clean,), (), ()
    )
    verdicts = axes.judge(evidence)
    assert verdicts["weights_only"].axis.status == "skipped"
    assert verdicts["weights"].axis.status == "skipped"
    assert "evil.pth" in str(verdicts["weights"].axis.reason)


def test_a_place_in_an_answer_that_is_no_redirect_is_no_origin() -> None:
    log = [
        _request("https://x/well-known.pth", status=200, location="/evil.pth", sha256="a" * 64),
        _request("https://x/evil.pth", status=200, sha256="e" * 64),
    ]
    assert origins(log)["e" * 64] == ("https://x/evil.pth",)


ODD_REPORTS: dict[str, tuple[tuple[str | int, ...], Any]] = {
    "a number without end": (("checkpoints", 0, "size"), 10**400),
    "infinite": (("entrypoints", 0, "results", 0, "facts", "wall_s"), float("inf")),
    "no number": (("entrypoints", 0, "results", 0, "facts", "wall_s"), float("nan")),
    "limits of its own": (("sandbox", "limits"), {"x": 1}),
    "no reason": (("network", 0), None),
}


@pytest.mark.parametrize("output", ["text", "markdown", "html", "github"])
@pytest.mark.parametrize("what", ODD_REPORTS)
def test_any_file_ends_in_a_rendering_or_an_error(
    hubpub: RunHubpub, tmp_path: Path, what: str, output: str
) -> None:
    report = document("x")
    report["sandbox"]["features"] = {"seccomp": True}
    (*way, last), value = ODD_REPORTS[what]
    at: Any = report
    for step in way:
        at = at[step]
    if value is None:
        del at[last]["reason"]
    else:
        at[last] = value
    file = tmp_path / "report.json"
    file.write_text(json.dumps(report))
    done = hubpub("report", file, "--output-format", output)
    assert "defect" not in done.stderr
    assert done.returncode in {0, 1, 2}
