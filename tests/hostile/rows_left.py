"""Rows about what a job leaves: for the parent to read, and for the next job to find."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile

from victim import Row, Victim

_LINKS = r"""
def leaves():
    "Leaves what a reader of checkpoints could stumble over."
    cache = os.path.join(torch.hub.get_dir(), "checkpoints")
    os.makedirs(cache)
    os.chdir(cache)
    with open("good.pth", "wb") as file:
        file.write(b"good")
    os.symlink("/etc/passwd", "passwd.pth")
    os.symlink(AT["home"] + "/.netrc", "netrc.pth")
    os.symlink("/root", "root.pth")
    os.symlink("loop.pth", "loop.pth")
    os.symlink("good.pth", "relative.pth")
    with open("one.pth", "wb") as file:
        file.write(b"x")
    os.link("one.pth", "two.pth")
    server = socket.socket(socket.AF_UNIX)
    server.bind("socket.pth")
    for name, size in (("sparse.pth", 900 << 20), ("huge.pth", 8 << 40)):
        with open(name, "wb") as file:
            print(name, _attempt(file.truncate, size))
    for name in (
        b"\xff.pth",
        b"line\nfeed.pth",
        b"\x1b]52;c;eA==\x07.pth",
        "a\u202eb.pth".encode(),
    ):
        with open(name, "wb") as file:
            file.write(b"x")
    os.makedirs("/".join(["d"] * 60))
    with open("/".join(["d"] * 60) + "/deep.pth", "wb") as file:
        file.write(b"x")
    print("hard link of the tree", _attempt(os.link, __file__, "tree.pth"))
    print("hard link of a program", _attempt(os.link, "/bin/sh", "sh.pth"))
    print("fifo", _attempt(os.mkfifo, "fifo.pth"))
    print("device", _attempt(os.mknod, "device.pth", 0o600 | stat.S_IFCHR, os.makedev(1, 5)))
    return 1


def closes():
    "Leaves checkpoints that only root could read now."
    cache = os.path.join(torch.hub.get_dir(), "checkpoints")
    os.makedirs(cache + "/closed")
    for name in ("shut.pth", "closed/in.pth"):
        with open(os.path.join(cache, name), "wb") as file:
            file.write(name.encode())
    os.chmod(cache + "/shut.pth", 0)
    os.chmod(cache + "/closed", 0)
    return 1
"""


def _links(victim: Victim) -> str:
    victim.publish(_LINKS)
    run = victim.verify("--disk", "2GiB")
    assert run.axis("leaves")[0] == "pass", run.axis("leaves")
    left = [item for item in run.report["checkpoints"] if item["entrypoints"] == ["leaves"]]
    hashed = {item["filename"]: item["sha256"] for item in left}
    assert hashed.pop("good.pth") == hashlib.sha256(b"good").hexdigest()
    assert hashed == {"huge.pth": hashlib.sha256(b"").hexdigest()}  # the kernel refused its size
    status, reason = run.axis("leaves", "weights")
    assert status == "fail"
    for said in (
        *("14 files cannot be hashed", "passwd.pth is a symbolic link", "netrc.pth is a symbolic"),
        *("root.pth is a", "loop.pth is a", "relative.pth is a", "one.pth has several hard links"),
        *("two.pth has several", "socket.pth is a socket", "sparse.pth is sparse"),
        *("52;c;eA==", "too deep to be looked into"),
    ):
        assert said in reason, (said, reason)
    status, reason = run.axis("closes", "weights")
    if os.geteuid() == 0:
        assert (status, "shut.pth" in reason, "in.pth" in reason) == ("skipped", True, True)
    else:
        assert (status, "2 files cannot be hashed" in reason) == ("fail", True), reason
    return "2 plain files hashed, 14 refused by name; what is closed is not passed over"


_SWAPS = """
def swaps():
    "A process that stays changes the checkpoint for ever."
    cache = os.path.join(torch.hub.get_dir(), "checkpoints")
    os.makedirs(cache)
    path = os.path.join(cache, "net.pth")

    def put(letter):
        with open(path + "x", "wb") as file:
            file.write(letter * (4 << 20))
        os.rename(path + "x", path)

    put(b"A")
    if os.fork() == 0:
        os.setsid()
        while True:
            put(b"B")
            put(b"A")
    time.sleep(0.3)
    return 1
"""


def _swapper(victim: Victim) -> str:
    victim.publish(_SWAPS)
    run = victim.verify()
    (checkpoint,) = [item for item in run.report["checkpoints"] if item["filename"] == "net.pth"]
    whole = {hashlib.sha256(letter * (4 << 20)).hexdigest() for letter in (b"A", b"B")}
    assert checkpoint["sha256"] in whole
    return "hashed when nobody could change it"


_PRELOAD = r"""
def a_plants():
    "Leaves code where the next interpreter might take it from."
    text = "import os; os.environ['PLANTED'] = '1'; open('/tmp/planted', 'w')\n"
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    home = os.path.expanduser("~")
    for folder in (
        ".",
        "/scratch",
        "/tmp",
        "/dev/shm",
        home,
        os.path.dirname(home),
        f"{home}/.local/lib/{version}/site-packages",
        "/scratch/site-packages",
    ):
        for name in (
            "sitecustomize.py",
            "usercustomize.py",
            "torch.py",
            "json.py",
            "x.pth",
            "_ctypes.so",
        ):
            try:
                os.makedirs(folder, exist_ok=True)
                with open(os.path.join(folder, name), "w") as file:
                    file.write(text)
            except OSError:
                pass
    os.environ.update(
        LD_PRELOAD="/scratch/_ctypes.so", PYTHONPATH="/scratch:/tmp", PYTHONSTARTUP="/tmp/json.py"
    )
    for number in range(1, 9):
        try:
            os.symlink("/tmp", f"/scratch/job{number}")
        except OSError:
            pass
    return 1


def b_looks():
    "x"
    files = [
        path
        for path in ("/tmp/planted", "/scratch/sitecustomize.py", "/tmp/json.py", "/tmp/torch.py")
        if os.path.exists(path)
    ]
    names = [name for name in ("PLANTED", "LD_PRELOAD", "PYTHONPATH") if name in os.environ]
    modules = [
        name
        for name in ("sitecustomize", "usercustomize")
        if name in sys.modules
        and not str(getattr(sys.modules[name], "__file__", "/usr")).startswith("/usr")
    ]
    _tell(
        {
            "files": files,
            "names": names,
            "modules": modules,
            "torch": torch.__file__.endswith("torch.py"),
        }
    )
"""


def _preload(victim: Victim) -> str:
    victim.publish(_PRELOAD)
    for options in ((), ("--fresh",)):
        run = victim.verify(*options)
        assert run.axis("a_plants") == ("pass", "")
        assert run.told("b_looks") == {"files": [], "names": [], "modules": [], "torch": False}
    return "the next job finds nothing, forked or fresh"


_TRUSTS = """
def a_trusts():
    "Declares the next repository trusted, here and where the user's list is."
    for hub in (torch.hub.get_dir(), AT["home"] + "/.cache/torch/hub", "/scratch/torch/hub"):
        try:
            os.makedirs(hub, exist_ok=True)
            with open(os.path.join(hub, "trusted_list"), "a") as file:
                file.write("evil_net\\n")
        except OSError:
            pass
    return 1


def b_looks():
    "x"
    path = os.path.join(torch.hub.get_dir(), "trusted_list")
    _tell({"list": open(path).read() if os.path.exists(path) else "none"})
"""


def _trusted_list(victim: Victim) -> str:
    victim.publish(_TRUSTS)
    run = victim.verify()
    assert run.axis("a_trusts") == ("pass", "")
    assert "evil" not in run.told("b_looks")["list"]
    return "the next job's list does not have it"


def _zipslip(victim: Victim) -> str:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in (
            "../../../../../../../../tmp/planted",
            f"{victim.caller}/planted",
            "a/../../planted",
        ):
            archive.writestr(name, "planted")
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, str(victim.home))
        archive.writestr("link/planted", "planted")
    names = ("net.zip", "net.pth", "archive/data.pkl.pt")
    victim.publish(f"""
def leaves():
    "x"
    for name in {names!r}:
        path = os.path.join(torch.hub.get_dir(), "checkpoints", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write({data.getvalue()!r})
    return 1
""")
    run = victim.verify()
    assert run.axis("leaves") == ("pass", "")
    digest = hashlib.sha256(data.getvalue()).hexdigest()
    assert {item["sha256"] for item in run.report["checkpoints"]} == {digest}
    return "hashed, and never unpacked"


ROWS: tuple[Row, ...] = (
    Row(16, "leave what is no plain file", _links),
    Row(17, "swap a checkpoint while it is hashed", _swapper),
    Row(26, "leave code for the next job", _preload),
    Row(28, "declare itself trusted", _trusted_list),
    Row(32, "leave an archive that unpacks elsewhere", _zipslip),
)
