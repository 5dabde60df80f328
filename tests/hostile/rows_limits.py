"""Rows about limits: jobs that take without end, and jobs that stay."""

from __future__ import annotations

import json
from collections.abc import Callable

from victim import Row, Victim

_BOMB = """
def bomb():
    "x"
    while True:
        try:
            os.fork()
        except OSError:
            pass
"""
_MEMORY = """
def alone():
    "x"
    held = bytearray(os.urandom(1 << 20)) * 900
    time.sleep(60)


def together():
    "x"
    for _ in range(8):
        if os.fork() == 0:
            held = bytearray(os.urandom(1 << 20)) * 150
            time.sleep(60)
    time.sleep(60)
"""
_DISK = """
def fills():
    "x"
    for number in range(1000):
        with open(str(number), "wb") as file:
            file.write(bytes(1 << 20))
    time.sleep(60)
"""
_UNLINKED = """
def fills():
    "x"
    held = [open(str(number), "wb") for number in range(4)]
    for number in range(4):
        os.unlink(str(number))
    for number in range(400):
        held[number % 4].write(bytes(1 << 20))
    time.sleep(60)
"""
_FILES = """
def fills():
    "x"
    for number in range(100_000):
        open(str(number), "w").close()
    time.sleep(60)
"""
_ENDLESS = """
def loops():
    "x"
    while True:
        pass


def ignores():
    "x"
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    while True:
        pass
"""
_STAYS = """
WRITES = (
    "import time\\n"
    "with open('/scratch/grows', 'a') as file:\\n"
    "    while True:\\n"
    "        file.write('x')\\n"
    "        file.flush()\\n"
    "        time.sleep(0.01)\\n"
)


def a_stays():
    "Forks twice, in a session of its own, and runs another program."
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, 64)
            os.execv(sys.executable, [sys.executable, "-c", WRITES + "# " + AT["token"]])
        os._exit(0)
    deadline = time.monotonic() + 20
    while not os.path.exists("/scratch/grows") and time.monotonic() < deadline:
        time.sleep(0.05)
    return 1


def b_looks():
    "x"
    pids = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    _tell({"pids": pids == [1, os.getpid()], "file": os.path.exists("/scratch/grows")})
"""
_FLOODS = """
def recursion():
    "x"
    sys.setrecursionlimit(1 << 30)

    class Nested:
        def __repr__(self):
            return repr(self)

    return repr(Nested())


def floods():
    "x"
    line = b"x" * (1 << 20)
    for _ in range(77):
        os.write(1, line)
    time.sleep(60)


def claims():
    "x"
    os.write(3, b"[" * (1 << 20))
    while True:
        os.write(3, b"[" * (1 << 20))
"""
_THREADS = """
def threads():
    "x"

    def run():
        while True:
            time.sleep(0.01)

    for _ in range(30):
        threading.Thread(target=run).start()
    return 1


def looks():
    "x"
    _tell(
        {
            "threads": len(os.listdir("/proc/self/task")),
            "pids": len([n for n in os.listdir("/proc") if n.isdigit()]),
        }
    )
"""
_CUDA = """
def a_takes_all():
    "x"
    held = []
    while True:
        held.append(torch.empty(256 << 20, dtype=torch.uint8, device="cuda"))


def b_hangs():
    "x"
    value = torch.ones(4096, 4096, device="cuda")
    while True:
        value = value @ value


def c_leaves_a_context():
    "x"
    if os.fork() == 0:
        os.setsid()
        held = torch.ones(1 << 28, device="cuda")
        while True:
            time.sleep(1)
    return torch.nn.Linear(1, 1)


def d_innocent():
    "x"
    return torch.nn.Linear(1, 1)
"""


def _past(hubconf: str, expected: dict[str, str], *options: str) -> Callable[[Victim], str]:
    def act(victim: Victim) -> str:
        victim.publish(hubconf)
        run = victim.verify("--timeout", "40", *options)
        assert {name: run.facts(name)["ended"] for name in expected} == expected, run.text
        assert {run.axis(name)[0] for name in expected} == {"fail"}
        assert len(json.dumps(run.report)) < 1 << 20
        return run.ended(*expected)

    return act


def _daemonise(victim: Victim) -> str:
    victim.publish(_STAYS)
    run = victim.verify()
    assert run.axis("a_stays") == ("pass", "")
    assert run.told("b_looks") == {"pids": True, "file": False}
    return "dead before the next job"


def _threads(victim: Victim) -> str:
    victim.publish(_THREADS)
    run = victim.verify()
    assert run.axis("threads") == ("pass", "")
    assert run.told("looks")["pids"] == 2
    return "ended with the job"


def _cuda(victim: Victim) -> str:
    victim.publish(_CUDA)
    run = victim.verify("--device", "cuda", "--timeout", "20")
    assert run.axis("a_takes_all")[0] == "fail"
    assert run.facts("b_hangs")["ended"] == "timeout"
    assert run.axis("d_innocent") == ("pass", "")
    return run.ended("a_takes_all", "b_hangs")


ROWS: tuple[Row, ...] = (
    Row(6, "a fork bomb", _past(_BOMB, {"bomb": "pids"}, "--processes", "60")),
    Row(
        7,
        "take all memory, alone and in processes",
        _past(_MEMORY, {"alone": "memory", "together": "memory"}, "--memory", "700MiB"),
    ),
    Row(8, "fill the disk", _past(_DISK, {"fills": "disk"}, "--disk", "64MiB")),
    Row(
        9,
        "fill the disk with deleted files",
        _past(_UNLINKED, {"fills": "disk"}, "--disk", "100MiB"),
    ),
    Row(10, "make files without end", _past(_FILES, {"fills": "files"}, "--files", "2000")),
    Row(
        11,
        "never end, and ignore every signal",
        _past(_ENDLESS, {"loops": "timeout", "ignores": "timeout"}, "--timeout", "2"),
    ),
    Row(12, "stay as a daemon", _daemonise),
    Row(
        29,
        "recurse, and flood output and claims",
        _past(_FLOODS, {"recursion": "signal", "floods": "output", "claims": "output"}),
    ),
    Row(31, "leave threads running", _threads),
    Row(36, "take the GPU, and not give it back", _cuda),
)
