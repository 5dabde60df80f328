"""Tiers: what is taken, what is refused with which mend, and that nothing is weaker in silence.

Causes are judged by a pure function, in a table. Where one can be staged without touching the
machine it is: a ``bwrap`` earlier on the PATH, a system call filter as Docker's, a user namespace
that may make no other.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import MakeRepository, RunHubpub
from hubpub.errors import UsageError
from hubpub.verify.limits import Limits
from hubpub.verify.sandbox import advice, seccomp, tiers
from hubpub.verify.sandbox.advice import Seen
from publishing import Mirror, clean_environment, running

NET = {
    "hubconf.py": """
dependencies = ["torch"]
import os


def net():
    "A net."
    import torch

    return torch.nn.Linear(2, 3)


def look():
    "x"
    status = open("/proc/self/status").read()
    wanted = ("Seccomp:", "NoNewPrivs:", "CapEff:", "Uid:")
    lines = [line.split()[:2] for line in status.splitlines() if line.startswith(wanted)]
    raise RuntimeError("found: " + str((lines, sorted(os.environ))))
"""
}
REAL = os.path.realpath("/usr/bin/bwrap")

NO_PERMISSIONS = (
    "bwrap: No permissions to create new namespace, likely because the kernel does not allow "
    "non-privileged user namespaces."
)
LAUNCH = "hubpub launch: unshare: Operation not permitted"
UID_MAP = "bwrap: setting up uid map: Permission denied"
CAUSES = [
    (Seen(installed=False), "missing", "apt-get install bubblewrap"),
    (Seen("bwrap: Unknown option --info-fd"), "too old", "0.8"),
    (Seen(NO_PERMISSIONS, apparmor_restricts=True), "apparmor", "userns=0"),
    (Seen(UID_MAP, apparmor_restricts=True), "apparmor", "/etc/apparmor.d/bwrap"),
    (Seen(UID_MAP), "apparmor", "apparmor_parser -r"),
    (Seen(UID_MAP, container=True), "container", "seccomp=unconfined"),
    (
        Seen("bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted"),
        "apparmor",
        "apparmor_restrict_unprivileged_userns=0",
    ),
    (Seen(NO_PERMISSIONS, container=True), "container", "seccomp=unconfined"),
    (Seen(LAUNCH, root=True, container=True), "container", "on the host"),
    (Seen(LAUNCH, root=True), "root without rights", "as an ordinary user"),
    (Seen(LAUNCH), "no userns", "in this order"),
    (Seen(NO_PERMISSIONS), "no userns", "in this order"),
    (Seen(NO_PERMISSIONS, max_user_namespaces=0), "userns off", "user.max_user_namespaces=15000"),
    (
        Seen(NO_PERMISSIONS, max_user_namespaces=0, container=True),
        "userns off",
        "sysctl -w user.max_user_namespaces",
    ),
    (
        Seen(NO_PERMISSIONS, unprivileged_clone=0),
        "userns for root only",
        "kernel.unprivileged_userns_clone=1",
    ),
    (
        Seen(NO_PERMISSIONS, unprivileged_clone=0, root=True),
        "userns for root only",
        "kernel.unprivileged_userns_clone=1",
    ),
    (
        Seen("bwrap: Creating new namespace failed: nesting depth or ... exceeded (ENOSPC)"),
        "userns spent",
        "outside the sandbox",
    ),
    (
        Seen("bwrap: Can't mount proc on /newroot/proc: Operation not permitted", container=True),
        "masked proc",
        "systempaths=unconfined",
    ),
    (Seen("bwrap: Failed to make / slave: Permission denied"), "masked proc", "on the host"),
    (
        Seen("hubpub launch: become user 61184: Invalid argument", root=True),
        "few ids",
        "ordinary user",
    ),
    (Seen("anything else"), "unknown", "never runs the code unsandboxed"),
    # AppArmor's setting alone is no cause: the profile for bwrap may be there.
    (Seen("anything else", apparmor_restricts=True), "unknown", "bubblewrap"),
]


@pytest.mark.parametrize(("seen", "cause", "said"), CAUSES)
def test_each_cause_has_its_mend(seen: Seen, cause: str, said: str) -> None:
    assert advice.judge(seen) == cause
    assert said in advice.mend(seen)


def test_every_mend_is_met() -> None:
    assert {cause for _, cause, _ in CAUSES} == set(advice.MENDS)


@pytest.mark.parametrize(
    ("files", "fields"),
    [
        ({}, {}),
        ({".dockerenv": ""}, {"container": True}),
        ({"run/.containerenv": ""}, {"container": True}),
        ({"proc/1/cgroup": "0::/kubepods/pod1\n"}, {"container": True}),
        ({"proc/1/cgroup": "0::/init.scope\n"}, {"container": False}),
        (
            {"proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n"},
            {"apparmor_restricts": True},
        ),
        (
            {"proc/sys/kernel/apparmor_restrict_unprivileged_userns": "0\n"},
            {"apparmor_restricts": False},
        ),
        ({"proc/sys/user/max_user_namespaces": "0\n"}, {"max_user_namespaces": 0}),
        ({"proc/sys/user/max_user_namespaces": "what\n"}, {"max_user_namespaces": None}),
        ({"proc/sys/kernel/unprivileged_userns_clone": "0\n"}, {"unprivileged_clone": 0}),
    ],
)
def test_what_decides_is_read(
    tmp_path: Path, files: dict[str, str], fields: dict[str, Any]
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    seen = advice.look("words", root=tmp_path)
    assert seen == Seen(**{"stderr": "words", "root": os.geteuid() == 0, **fields})


Stage = Callable[[str], dict[str, str]]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """An environment in which a shell script of this body is the ``bwrap`` that is found."""

    def write(body: str) -> dict[str, str]:
        folder = tmp_path / "programs"
        folder.mkdir()
        (folder / "bwrap").write_text(f"#!/bin/sh\n{body}\n")
        (folder / "bwrap").chmod(0o755)
        return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}

    tmp_path.chmod(0o755)
    return write


def refusing(*flags: str) -> str:
    """A bwrap of before ``flags``: it refuses them in bwrap's words, and is the real one else."""
    cases = "\n".join(
        f'    {flag}) echo "bwrap: Unknown option {flag}" >&2; exit 1 ;;' for flag in flags
    )
    return f'for word; do case "$word" in\n{cases}\nesac; done\nexec {REAL} "$@"'


def proven(
    hubpub: RunHubpub, file: Path, *args: str, env: dict[str, str], code: int
) -> dict[str, Any]:
    """The report of a run that must end with ``code``."""
    output = ("--output-format", f"json:{file}")
    done = hubpub("verify", "octo/net:v1.0", "--device", "cpu", *output, *args, env=env)
    assert done.returncode == code, done.stderr
    report: dict[str, Any] = json.loads(file.read_text())
    return report


def reason(report: dict[str, Any], name: str) -> str:
    (entry,) = [item for item in report["entrypoints"] if item["name"] == name]
    return str(entry["results"][0]["axes"]["loads"]["reason"])


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("flags", "holds"),
    [
        ((), True),
        (("--disable-userns",), False),
        (("--disable-userns", "--size"), False),  # 0.6, of Ubuntu 22.04
        (("--disable-userns", "--size", "--clearenv"), False),
        (("--size",), True),
    ],
)
def test_an_older_bubblewrap_holds_as_well(
    hubpub: RunHubpub,
    repository: MakeRepository,
    stage: Stage,
    tmp_path: Path,
    flags: tuple[str, ...],
    holds: bool,
) -> None:
    """What a flag is missing for is done in another way, and the report says which is missing."""
    spaces = """
def spaces():
    "x"
    import ctypes, errno
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.unshare(0x10000000)
    found = []
    for place in ("/tmp", "/dev/shm", "/home"):
        size = os.statvfs(place)
        found.append(size.f_blocks * size.f_frsize >> 20)
    with open("/tmp/x", "wb") as file:
        try:
            for _ in range(300):
                file.write(bytes(1 << 20))
        except OSError as error:
            found.append(errno.errorcode[error.errno])
    raise RuntimeError(f"found: {result} {found}")
"""
    repository({"hubconf.py": NET["hubconf.py"] + spaces})
    env = stage(refusing(*flags))
    report = proven(hubpub, tmp_path / "report.json", env=env, code=1)
    held = report["sandbox"]
    assert (held["tier"], held["version"]) == ("bwrap", real_version())
    assert held["features"].pop("disable_userns") is holds
    assert all(held["features"].values())
    assert held["outer_uid"] != 0
    assert held["warning"] is None
    assert held["limits"]["processes"] == Limits().processes
    assert reason(report, "spaces") == "RuntimeError: found: -1 [256, 256, 1, 'ENOSPC']"
    assert "['Seccomp:', '2']" in reason(report, "look")


def real_version() -> str:
    done = subprocess.run([REAL, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.split()[1]


AFTER_FLAGS = 'while [ "$1" != -- ]; do [ "$1" = --info-fd ] && fd=$2; shift; done;'
STAGED = [
    ("echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1", "Permission denied"),
    ("echo 'bwrap: Unknown option --info-fd' >&2; exit 1", "a newer bubblewrap is needed"),
    ("exit 1", "bubblewrap did not start: no message"),
    ("kill -9 $$", "--version does not run"),
    # Says that it is up, and is gone.
    (
        f'{AFTER_FLAGS} echo "{{\\"child-pid\\": $$}}" >&$fd; exec sleep 0.1',
        "did not come up",
    ),
]


@pytest.mark.parametrize(("body", "said"), STAGED)
def test_a_bubblewrap_that_fails_is_refused(
    hubpub: RunHubpub, repository: MakeRepository, stage: Stage, body: str, said: str
) -> None:
    pytest.importorskip("torch", reason="the verify extra is not installed")
    repository(NET)
    version = 'if [ "$1" = --version ]; then echo "bubblewrap 0.6.0"; exit; fi\n'
    env = stage(body if body.startswith("kill") else version + body)
    done = hubpub("verify", "octo/net:v1.0", env=env)
    assert done.returncode == 4, done.stderr
    assert said in done.stderr
    assert "help: " in done.stderr
    assert "fetched" not in done.stderr  # it is found out before anything is fetched


@pytest.mark.sandbox
def test_a_bubblewrap_that_leaves_something_out_is_no_sandbox(
    hubpub: RunHubpub, repository: MakeRepository, stage: Stage
) -> None:
    """The network is shared and the filter left out: the probe sees both, and nothing runs."""
    repository(NET)
    body = f"""
[ "$1" = --version ] && exec {REAL} --version
first=1 skip=0
for word; do
    [ $first = 1 ] && set -- && first=0
    if [ $skip = 1 ]; then skip=0; continue; fi
    case "$word" in
        --unshare-all) set -- "$@" --unshare-all --share-net ;;
        --seccomp) skip=1 ;;
        *) set -- "$@" "$word" ;;
    esac
done
exec {REAL} "$@"
"""
    done = hubpub("verify", "octo/net:v1.0", env=stage(body))
    assert done.returncode == 4, done.stderr
    assert "what bwrap built is not a sandbox" in done.stderr
    missing = done.stderr.partition("sandbox: ")[2].partition(" missing")[0]
    assert missing.startswith("net_namespace, "), done.stderr
    assert missing.endswith("seccomp"), done.stderr


FILTERED = """
import ctypes, os, sys
code = bytes.fromhex(sys.argv[1])
class Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(Program(len(code) // 8, code)), 0, 0) == 0
os.execv(sys.argv[2], sys.argv[2:])
"""
NESTED = """
import ctypes, os, sys
uid, gid, libc = os.getuid(), os.getgid(), ctypes.CDLL(None, use_errno=True)
assert libc.unshare(0x10000000) == 0
maps = (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1"))
for name, text in maps:
    open(f"/proc/self/{name}", "w").write(text)
if sys.argv[1] == "none":
    open("/proc/sys/user/max_user_namespaces", "w").write("0")
os.execv(sys.argv[2], sys.argv[2:])
"""


def run_in(
    mirror: Mirror, program: str, argument: str, *args: str
) -> subprocess.CompletedProcess[str]:
    """``hubpub verify``, started by a program that takes something away first."""
    script = Path(sys.executable).parent / "hubpub"
    command_line = [sys.executable, "-I", "-c", program, argument, sys.executable, str(script)]
    return subprocess.run(
        [*command_line, "verify", "octo/net:v1.0", "--device", "cpu", *args],
        env=clean_environment(mirror.home) | {"HUBPUB_GITHUB_URL": mirror.url},
        cwd=mirror.home,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.sandbox
def test_where_a_filter_forbids_namespaces_the_mend_is_named(
    mirror: Mirror, repository: MakeRepository
) -> None:
    """As under Docker's default profile: unshare and clone for namespaces are EPERM."""
    repository(NET)
    done = run_in(mirror, FILTERED, seccomp.program(os.uname().machine).hex())
    assert done.returncode == 4, done.stderr
    assert "fetched" not in done.stderr
    seen = advice.look(LAUNCH if os.geteuid() == 0 else NO_PERMISSIONS)
    for line in advice.mend(seen).splitlines():
        assert f"help: {line}" in done.stderr


@pytest.mark.sandbox
def test_where_no_user_namespace_may_be_made_the_mend_is_named(
    mirror: Mirror, repository: MakeRepository
) -> None:
    repository(NET)
    done = run_in(mirror, NESTED, "none")
    assert done.returncode == 4, done.stderr
    cause = "few ids" if os.geteuid() == 0 else "userns off"
    for line in advice.MENDS[cause].splitlines():
        assert f"help: {line}" in done.stderr


@pytest.mark.sandbox
def test_in_a_user_namespace_it_holds_or_says_what_to_do(
    mirror: Mirror, repository: MakeRepository, tmp_path: Path
) -> None:
    """An ordinary user needs no more than that; root cannot become another user there."""
    repository({"hubconf.py": NET["hubconf.py"].partition("def look")[0]})
    done = run_in(mirror, NESTED, "all")
    if os.geteuid() == 0:
        assert done.returncode == 4, done.stderr
        assert "cannot stand in for root" in done.stderr
        assert "ordinary user" in done.stderr
    else:
        assert done.returncode == 0, done.stderr
        assert "sandbox: bwrap" in done.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--sandbox", "none"), "add --i-trust-this-code"),
        (("--sandbox", "bwrap", "--image", "x"), "--image is for --sandbox container"),
        (("--sandbox", "weaker"), "'weaker' is not one of"),
    ],
)
def test_what_contradicts_itself_is_a_usage_error(
    hubpub: RunHubpub, args: tuple[str, ...], said: str
) -> None:
    done = hubpub("verify", "octo/net", *args)
    assert done.returncode == 2
    assert said in done.stderr


def test_the_api_refuses_the_same() -> None:
    with pytest.raises(UsageError, match="as you"):
        tiers.Wanted("none").check()
    with pytest.raises(UsageError, match="no sandbox"):
        tiers.Wanted("weaker").check()
    tiers.Wanted("none", trusted=True).check()


def reaches_python() -> bool:
    """Whether the user that stands in for root could run this Python."""
    if os.geteuid() != 0:
        return True
    command_line = [sys.executable, "-I", "-c", "import torch"]
    try:
        done = subprocess.run(command_line, user=65000, group=65000, extra_groups=[])
    except OSError:
        return False
    return done.returncode == 0


@pytest.mark.sandbox
def test_none_is_loud_and_still_never_root(
    hubpub: RunHubpub, repository: MakeRepository, tmp_path: Path
) -> None:
    """A harmless repository: the same supervisor, and every rendering says what does not hold."""
    repository(NET)
    args = ("--sandbox", "none", "--i-trust-this-code")
    if os.geteuid() == 0:
        done = hubpub("verify", "octo/net:v1.0", *args)
        if done.returncode == 4:
            # Here root's Python is root's alone; as another user the rest of this test runs.
            assert "cannot be run by the user that stands in for root" in done.stderr
            assert "run hubpub as an ordinary user" in done.stderr
            return
    report = proven(hubpub, tmp_path / "report.json", *args, env={"SECRET": "s3cr3t"}, code=1)
    held = report["sandbox"]
    assert held["tier"] == "none"
    assert held["outer_uid"] != 0
    assert held["warning"].startswith("NO SANDBOX")
    assert any("loopback" in lacking for lacking in held["not_held"])
    assert not held["features"]["pid_namespace"]
    assert held["features"]["seccomp"]
    assert held["features"]["no_new_privileges"]
    assert any(finding["name"] == "no-sandbox" for finding in report["findings"])
    look = reason(report, "look")
    assert "['Seccomp:', '2']" in look
    assert "['NoNewPrivs:', '1']" in look
    assert "SECRET" not in look
    net = next(item for item in report["entrypoints"] if item["name"] == "net")
    assert net["results"][0]["axes"]["loads"] == {"status": "pass", "reason": None}
    text = hubpub("verify", "octo/net:v1.0", "--device", "cpu", *args)
    assert text.stdout.splitlines()[2].startswith("NO SANDBOX")
    assert "warning verify no-sandbox: NO SANDBOX" in text.stdout
    assert text.stdout.rstrip().endswith("WITHOUT A SANDBOX")
    assert "NO SANDBOX" in text.stderr
    assert "  packages: all: the tier none hides none" in text.stdout
    assert "  limits of a job: 600 s, 8.0 GiB memory, 16.0 GiB disk" in text.stdout


IN_TREE = """
dependencies = ["torch"]
import os
import torch


def net():
    "A net whose weights lie in the tree."
    model = torch.nn.Linear(2, 1)
    path = os.path.join(os.path.dirname(__file__), "weights.pth")
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return model
"""


@pytest.mark.sandbox
@pytest.mark.parametrize("tier", ["bwrap", "none"])
def test_a_checkpoint_in_the_tree_is_read_again_where_the_tier_has_the_tree(
    tier: str, hubpub: RunHubpub, repository: MakeRepository, tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch", reason="the verify extra is not installed")
    file = tmp_path / "weights.pth"
    torch.save(torch.nn.Linear(2, 1).state_dict(), file)
    repository({"hubconf.py": IN_TREE, "weights.pth": file.read_bytes()})
    trust = ("--i-trust-this-code",) if tier == "none" else ()
    if tier == "none" and not reaches_python():
        pytest.skip("the user that stands in for root cannot run this Python")
    file = tmp_path / "report.json"
    report = proven(hubpub, file, "--sandbox", tier, *trust, env={}, code=0)
    (checkpoint,) = report["checkpoints"]
    assert checkpoint["path"] == "weights.pth"
    assert checkpoint["weights_only"] == {"status": "pass", "reason": None}


DAEMON = """
dependencies = ["torch"]
import os, sys, time


def daemon():
    "x"
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600) # MARK"])
        os._exit(0)
    time.sleep(0.3)
    return object


def everyone():
    "Asks to signal everything there is with signal 0, which only asks."
    try:
        os.kill(-1, 0)
    except OSError as error:
        raise RuntimeError(f"found: {error.errno}")
"""


@pytest.mark.sandbox
def test_without_a_sandbox_jobs_end_and_nobody_else_does(
    hubpub: RunHubpub, repository: MakeRepository, tmp_path: Path
) -> None:
    """What a job leaves behind is killed by descent; a process of this test lives on."""
    if not reaches_python():
        return  # said and asserted by the test above
    repository({"hubconf.py": DAEMON.replace("MARK", tmp_path.name)})
    witness = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        report = proven(
            *(hubpub, tmp_path / "report.json", "--sandbox", "none", "--i-trust-this-code"),
            env={},
            code=1,
        )
        assert witness.poll() is None
    finally:
        witness.kill()
        witness.wait()
    assert reason(report, "daemon") == "None"
    assert reason(report, "everyone") == "RuntimeError: found: 1"
    assert not running(f"time.sleep(600) # {tmp_path.name}")
