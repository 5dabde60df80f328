"""Rows about files: what may not be read, written or filled."""

from __future__ import annotations

from victim import Row, Victim, counted

_READS = """
def reads():
    "x"
    places = [AT["home"] + "/" + name for name in NAMES] + [
        os.path.expanduser("~/" + name) for name in NAMES
    ]
    places += [
        "/root/.ssh/id_ed25519",
        "/etc/shadow",
        "/etc/machine-id",
        "/etc/hostname",
        "/var/run/secrets/token",
        "/proc/1/root" + AT["home"] + "/.netrc",
        "/proc/1/cwd/notes.txt",
        AT["caller"] + "/notes.txt",
        AT["caller"] + "/report.json",
        "../../../../.." + AT["caller"] + "/notes.txt",
    ]
    _tell({place: _attempt(lambda path: open(path).read(), place) for place in places})


def lists():
    "x"
    places = [
        "/root/.ssh",
        AT["home"],
        AT["caller"],
        AT["temporary"],
        "/proc/1/root",
        "/proc/1/cwd",
        "/var",
        "/run",
        "/mnt",
        "/media",
        "/opt/hubpub",
        "/lost+found",
        "/srv",
    ]
    _tell({place: _attempt(os.listdir, place) for place in places})
"""


def _read_home(victim: Victim) -> str:
    names = (".ssh/id_ed25519", ".netrc", ".npmrc", ".gitconfig", ".git-credentials")
    victim.publish(_READS.replace("NAMES", repr(names)))
    run = victim.verify()
    found = run.told("reads") | run.told("lists")
    assert len(found) == 33
    assert set(found.values()) == {"ENOENT", "EACCES"}, found
    return counted(found)


_ENVIRONMENT = """
def env():
    "x"
    found = {name: "ours" for name in os.environ}
    for place in ("/proc/1/environ", f"/proc/{os.getppid()}/environ", "/proc/1/task/1/environ"):
        found[place] = _attempt(lambda path: open(path).read(), place)
    own = open("/proc/self/environ").read().split("\\0")
    _tell(found | {name.split("=")[0]: "ours" for name in own if name})
"""


def _read_env(victim: Victim) -> str:
    victim.publish(_ENVIRONMENT)
    found = victim.verify().told("env")
    ours = {name for name, value in found.items() if value == "ours"}
    proxies = {"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"}
    own = {"HOME", "TMPDIR", "TORCH_HOME", "XDG_CACHE_HOME", "PATH", "LANG", "PWD"}
    assert ours == proxies | own
    rest = {name: value for name, value in found.items() if value != "ours"}
    assert set(rest.values()) == {"EACCES"}, rest
    return f"{len(ours)} variables of its own, {counted(rest)}"


_WRITES = """
def writes():
    "x"
    places = [
        "/",
        "/usr",
        "/usr/lib",
        "/etc",
        "/dev",
        "/proc/sys/kernel",
        "/tree",
        "/worker",
        "/sys",
        os.path.dirname(__file__),
        os.path.dirname(os.__file__),
        AT["caller"],
        os.path.dirname(torch.__file__),
        os.path.dirname(os.path.dirname(torch.__file__)),
    ]
    _tell({place: _attempt(open, place + "/planted", "w") for place in places})


def changes():
    "x"
    files = [
        __file__,
        os.__file__,
        torch.__file__,
        "/worker/__init__.py",
        sys.executable,
        "/etc/passwd",
        "/bin/sh",
        AT["caller"] + "/notes.txt",
    ]
    found = {path: _attempt(open, path, "r+") for path in files}
    found |= {f"delete {path}": _attempt(os.unlink, path) for path in files}
    found |= {f"rename {path}": _attempt(os.rename, path, path + "x") for path in files}
    _tell(found | {f"mode of {path}": _attempt(os.chmod, path, 0o777) for path in files})
"""


def _write_cwd(victim: Victim) -> str:
    victim.publish(_WRITES)
    run = victim.verify()
    found = run.told("writes") | run.told("changes")
    assert len(found) == 46
    assert set(found.values()) <= {"EROFS", "ENOENT", "EACCES", "EPERM", "ETXTBSY"}, found
    return counted(found)


_HOME = """
def home():
    "Writes where it thinks the home is, and in its own."
    for home in (AT["home"], os.path.expanduser("~"), "/home/user", AT["caller"]):
        for name in (".bashrc", ".ssh/authorized_keys", ".config/pip/pip.conf", "report.json"):
            path = os.path.join(home, name)
            try:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "a") as file:
                    file.write("planted")
            except OSError:
                pass
    return 1
"""


def _write_home(victim: Victim) -> str:
    victim.publish(_HOME)
    run = victim.verify()
    assert run.axis("home") == ("pass", "")
    return "it writes to a home of its own"


_FILL = """
def fills():
    "x"
    found = {}
    for place in ("/tmp", "/dev/shm", "/home", "/dev"):
        written = 0
        try:
            with open(place + "/x", "wb", buffering=0) as file:
                while written < 2 << 30:
                    written += file.write(bytes(1 << 20))
        except OSError as error:
            found[place] = f"{errno.errorcode[error.errno]} after {written >> 20} MiB"
    _tell(found)
"""


def _tmp_fill(victim: Victim) -> str:
    victim.publish(_FILL)
    found = victim.verify("--memory", "2GiB").told("fills")
    sizes = {place: text.split() for place, text in found.items()}
    assert sizes.pop("/dev")[0] in {"EROFS", "EACCES"}
    assert {
        place: (size[0], int(size[2]) <= 256) for place, size in sizes.items()
    } == dict.fromkeys(("/tmp", "/dev/shm", "/home"), ("ENOSPC", True)), found
    return "; ".join(f"{place}: {text}" for place, text in found.items())


ROWS: tuple[Row, ...] = (
    Row(1, "read keys and configuration", _read_home),
    Row(2, "read variables of others", _read_env),
    Row(3, "write outside its scratch", _write_cwd),
    Row(4, "write to the home", _write_home),
    Row(5, "fill what is in memory", _tmp_fill),
)
