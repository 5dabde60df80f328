"""Servers and repositories that are odd for git: bounded, executed by nobody, told apart."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from test_checkout import _git_handler

from conftest import MakeRepository, RunHubpub
from hubpub.errors import CannotVerifyError
from hubpub.verify.checkout import Checkout, checkout
from hubpub.verify.git import Git
from hubpub.verify.reference import parse
from publishing import Mirror, Repository, clean_environment
from rough import Rough, raw

pytest.importorskip("git", reason="GitPython, of the verify extra, is not installed")

MODULE = sys.modules[Git.__module__]
HUBCONF = {"hubconf.py": "dependencies = ['torch']\n"}


def fetch(folder: Path, text: str, url: str, timeout_s: float = 60.0) -> Checkout:
    own = folder / f"work{len(list(folder.iterdir()))}"
    own.mkdir()
    return checkout(parse(text), own, url, timeout_s)


class GitServer:
    """A smart HTTP server that calls ``before`` with the number of each request."""

    def __init__(self, mirror: Mirror) -> None:
        outer, base = self, _git_handler(mirror)
        self.before: Callable[[int], None] = lambda number: None
        self.count = 0

        class Handler(base):  # type: ignore[misc, valid-type]
            def _answer(self) -> None:
                outer.count += 1
                outer.before(outer.count)
                super()._answer()

            do_GET = do_POST = _answer  # noqa: N815 (http.server's names)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server(mirror: Mirror) -> Iterator[GitServer]:
    made = GitServer(mirror)
    yield made
    made.close()


def test_a_pinned_commit_is_not_another_because_its_branch_moved_meanwhile(
    repository: MakeRepository, server: GitServer, tmp_path: Path
) -> None:
    """The report named the commit that was asked for, and the tree was another one's."""
    published = repository(HUBCONF)
    wanted = published.git("rev-parse", "HEAD")
    published.git("tag", "--delete", "v1.0")
    moved = published.commit({"hubconf.py": "evil = 1\n"})
    published.git("update-ref", "refs/heads/main", wanted)

    def before(number: int) -> None:
        if number == 3:  # the listing took two
            published.git("update-ref", "refs/heads/main", moved)

    server.before = before
    with pytest.raises(CannotVerifyError, match="moved"):
        fetch(tmp_path, f"octo/net:{wanted}", server.url)
    # A branch may move: the report names what was fetched.
    server.count = 0
    published.git("update-ref", "refs/heads/main", wanted)
    assert fetch(tmp_path, "octo/net:main", server.url).commit == moved


def test_a_slow_server_has_no_more_than_the_time_of_the_run(
    repository: MakeRepository, server: GitServer, tmp_path: Path
) -> None:
    """Each of six commands had all of it."""
    repository(HUBCONF)
    server.before = lambda number: time.sleep(1.2)
    begun = time.monotonic()
    with pytest.raises(CannotVerifyError, match="--deadline"):
        fetch(tmp_path, "octo/net:v1.0", server.url, 4.0)
    assert time.monotonic() - begun < 30


def _varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def _head(kind: int, size: int) -> bytes:
    return _varint((size >> 4 << 7) | kind << 4 | size & 15) if size < 16 else (
        bytes([128 | kind << 4 | size & 15]) + _varint(size >> 4)
    )  # fmt: skip


def _id(kind: bytes, data: bytes) -> bytes:
    return hashlib.sha1(b"%s %d\0" % (kind, len(data)) + data).digest()


def bomb(copies: int) -> tuple[bytes, str]:
    """A pack of a few KiB with a file of ``copies`` times 16 MiB in it, and its commit."""
    base, hubconf = bytes(0xFFFFFF), b"x = 1\n"
    delta = _varint(len(base)) + _varint(copies * len(base)) + b"\xf0\xff\xff\xff" * copies
    digest = hashlib.sha1(b"blob %d\0" % (copies * len(base)))
    for _ in range(copies):
        digest.update(base)
    tree = b"100644 base\0" + _id(b"blob", base) + b"100644 big\0" + digest.digest()
    tree += b"100644 hubconf.py\0" + _id(b"blob", hubconf)
    commit = b"tree %s\nauthor a <a@b> 1 +0000\n" % _id(b"tree", tree).hex().encode()
    commit += b"committer a <a@b> 1 +0000\n\nx\n"
    objects = [(3, base), (3, hubconf), (2, tree), (1, commit)]
    pack = b"PACK" + struct.pack(">II", 2, len(objects) + 1)
    for kind, data in objects:
        pack += _head(kind, len(data)) + zlib.compress(data, 9)
    pack += _head(7, len(delta)) + _id(b"blob", base) + zlib.compress(delta, 9)
    return pack + hashlib.sha1(pack).digest(), _id(b"commit", commit).hex()


def test_a_small_pack_does_not_take_all_memory(
    repository: MakeRepository,
    server: GitServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """16 KiB unfolded into 3.2 GiB of memory, and would have into 300."""
    published = repository(HUBCONF)
    pack, commit = bomb(20)
    assert len(pack) < 1 << 16
    subprocess.run(
        ["git", "-C", str(published.path), "index-pack", "--stdin"],
        input=pack, env=clean_environment(published.home), check=True, capture_output=True,
    )  # fmt: skip
    published.git("update-ref", "refs/tags/bomb", commit)
    assert fetch(tmp_path, "octo/net:v1.0", server.url).commit
    monkeypatch.setattr(MODULE, "_MEMORY_BYTES", 200 << 20)
    with pytest.raises(CannotVerifyError, match="of memory"):
        fetch(tmp_path, "octo/net:bomb", server.url)


def _line(text: bytes) -> bytes:
    return b"%04x%s" % (len(text) + 4, text)


ADVERTISED = "/octo/net/info/refs?service=git-upload-pack"
ID = b"1" * 40
FIRST = _line(b"# service=git-upload-pack\n") + b"0000"
FIRST += _line(ID + b" HEAD\0side-band-64k ofs-delta symref=HEAD:refs/heads/main\n")
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n"
MANY = b"".join(_line(ID + b" refs/heads/%060000d\n" % number) for number in range(20))


@pytest.mark.parametrize("way", ["plain", "packed"])
def test_a_server_that_never_ends_is_left(
    rough: Rough, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Git keeps the whole list of references before it says the first."""
    monkeypatch.setattr(MODULE, "_MEMORY_BYTES", 100 << 20)
    if way == "plain":
        rough.scripts[ADVERTISED] = raw(OK + b"\r\n" + FIRST, MANY, again=1000)
    else:
        packed = gzip.compress(FIRST + MANY * 500, 9)
        rough.scripts[ADVERTISED] = raw(OK + b"Content-Encoding: gzip\r\n\r\n" + packed)
    begun = time.monotonic()
    with pytest.raises(CannotVerifyError):
        fetch(tmp_path, "octo/net:v1.0", f"http://{rough.host}")
    assert time.monotonic() - begun < 40


PLACES = {
    "a file": "file:///{mirror}/octo/net/info/refs?service=git-upload-pack",
    "a program": "ext::sh%20-c%20touch%20{canary}/info/refs?service=git-upload-pack",
    "an option": "ssh://-oProxyCommand=touch%20{canary}/x/info/refs?service=git-upload-pack",
    "itself": "http://{host}/octo/net/info/refs?service=git-upload-pack",
}


@pytest.mark.parametrize("place", PLACES)
def test_a_server_that_sends_elsewhere_is_not_followed_out_of_its_transport(
    rough: Rough, repository: MakeRepository, mirror: Mirror, tmp_path: Path, place: str
) -> None:
    repository(HUBCONF)
    canary = tmp_path / "canary"
    to = PLACES[place].format(mirror=mirror.root, canary=canary, host=rough.host)
    rough.scripts[ADVERTISED] = raw(
        f"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {to}\r\n\r\n".encode()
    )
    with pytest.raises(CannotVerifyError):
        fetch(tmp_path, "octo/net:v1.0", f"http://{rough.host}")
    assert not canary.exists()


SAID = b"\x1b]52;c;eA==\x07\x1b[2J \xe2\x80\xae \xff\n::error::x"
ANSWERS = {
    "an error": _line(b"# service=git-upload-pack\n") + b"0000" + _line(b"ERR " + SAID),
    "a name": FIRST + _line(ID + b" refs/tags/" + SAID + b"\n") + b"0000",
    "a head": FIRST.replace(b"refs/heads/main", b"refs/heads/" + SAID[:8]) + b"0000",
    "a length": b"zzzz",
    "a reference of no id": FIRST + _line(b"/../../../../etc refs/tags/v1.0\n") + b"0000",
}


@pytest.mark.parametrize("what", ANSWERS)
def test_what_a_server_says_is_only_shown(hubpub: RunHubpub, rough: Rough, what: str) -> None:
    rough.scripts[ADVERTISED] = raw(OK + b"\r\n" + ANSWERS[what])
    done = hubpub("verify", "octo/net:v1.0", "--github-url", f"http://{rough.host}")
    assert done.returncode == 4, done.stderr
    assert "defect" not in done.stderr
    assert not {"\x1b", "\x07", "\u202e"} & set(done.stderr)
    assert "\n::error" not in done.stderr


def test_a_name_in_two_lines_makes_no_id_of_a_path(rough: Rough, tmp_path: Path) -> None:
    """Git says a name as it came: what follows its line break looks like another reference."""
    forged = b"abcdef0/../../x\trefs/heads/y"
    second = OK + b"\r\n" + _line(ID + b" refs/heads/x\n" + forged) + b"0000"
    first = _line(b"version 2\n") + _line(b"ls-refs\n") + _line(b"fetch\n") + b"0000"
    rough.scripts[ADVERTISED] = raw(OK + b"\r\n" + first)
    rough.scripts["/octo/net/git-upload-pack"] = raw(second.replace(b"advertisement", b"result"))
    with pytest.raises(CannotVerifyError, match="not the tip of a branch"):
        fetch(tmp_path, "octo/net:abcdef0", f"http://{rough.host}")


def _object(published: Repository, kind: str, data: bytes) -> str:
    done = subprocess.run(
        ["git", "-C", str(published.path), "hash-object", "-w", "--stdin", "-t", kind,
         "--literally"],
        input=data, env=clean_environment(published.home), check=True, capture_output=True,
    )  # fmt: skip
    return done.stdout.decode().strip()


EVIL = b"[core]\n\tfsmonitor = touch CANARY\n\tsshCommand = touch CANARY\n"
ODD_TREES: dict[str, list[tuple[bytes, bytes]]] = {
    "up": [(b"100644", b"..")],
    "up and away": [(b"100644", b"../../evil")],
    "here": [(b"100644", b".")],
    "no name": [(b"100644", b"")],
    "from the root": [(b"100644", b"/etc/evil")],
    "git's own": [(b"100644", b".git")],
    "git's own below": [(b"100644", b".git/config")],
    "git's own in capitals": [(b"100644", b".GIT")],
    "twice": [(b"100644", b"a"), (b"100644", b"a")],
    "a file and a folder": [(b"100644", b"a"), (b"100644", b"a/b")],
    "no mode": [(b"0", b"a")],
    "a device": [(b"060000", b"a")],
    "a link out and a file behind it": [(b"120000", b"a"), (b"100644", b"a/b")],
    "a name of an option": [(b"100644", b"--output=evil")],
    "controls": [(b"100644", b"\x1b[2J\n::error::x")],
    "no text": [(b"100644", b"\xff\xfe")],
    "a backslash": [(b"100644", b"..\\evil")],
    "settings of a folder of git": [(b"100644", b".gitmodules")],
}
HARMLESS = {
    *("a name of an option", "controls", "no text", "settings of a folder of git"),
    *("no mode", "a device"),  # plain files, when all is laid out
}


@pytest.mark.parametrize("what", ODD_TREES)
def test_an_odd_tree_is_laid_out_inside_or_refused(
    repository: MakeRepository, mirror: Mirror, tmp_path: Path, what: str
) -> None:
    published = repository(HUBCONF)
    canary = tmp_path / "canary"
    blob = _object(published, "blob", EVIL.replace(b"CANARY", os.fsencode(canary)))
    entries = sorted([*ODD_TREES[what], (b"100644", b"hubconf.py")], key=lambda item: item[1])
    data = b"".join(mode + b" " + name + b"\0" + bytes.fromhex(blob) for mode, name in entries)
    commit = f"tree {_object(published, 'tree', data)}\nauthor a <a@b> 1 +0000\n"
    commit += "committer a <a@b> 1 +0000\n\nx\n"
    published.git("update-ref", "refs/tags/odd", _object(published, "commit", commit.encode()))
    before = sorted(tmp_path.iterdir())
    found = None
    with contextlib.suppress(CannotVerifyError):
        found = fetch(tmp_path, "octo/net:odd", mirror.url)
    (work,) = set(tmp_path.iterdir()) - set(before)
    root = work / "tree" / "octo_net_odd"
    outside = [path for path in (work / "tree").rglob("*") if not path.is_relative_to(root)]
    assert outside == []
    assert not canary.exists()
    assert (found is None) == (what not in HARMLESS)
    assert found is None or not [path for path in root.rglob("*") if path.is_symlink()]


def _config(published: Repository, text: str) -> None:
    with (published.path / ".git/config").open("a") as file:
        file.write(text)


def _fifo(published: Repository, name: str) -> None:
    path = published.path / ".git" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)


SERVED: dict[str, Callable[[Repository, Path], None]] = {
    "objects elsewhere that never come": lambda it, canary: _fifo(it, "objects/info/alternates"),
    "references that never come": lambda it, canary: _fifo(it, "packed-refs"),
    "settings that never come": lambda it, canary: _fifo(it, "config"),
    "settings without end": lambda it, canary: _config(it, "[include]\n\tpath = /dev/zero\n"),
    "settings of settings": lambda it, canary: _config(
        it, f'[includeIf "gitdir:/**"]\n\tpath = {it.path}/.git/config\n'
    ),
    "programs": lambda it, canary: _config(
        it,
        f"[core]\n\talternateRefsCommand = touch {canary}\n\tgitProxy = touch {canary}\n"
        f"\taskPass = touch {canary}\n\tpager = touch {canary}\n\teditor = touch {canary}\n"
        f"[trace2]\n\teventTarget = {canary}\n\tnormalTarget = {canary}\n"
        f"[uploadpack]\n\tpackObjectsHook = touch {canary}\n"
        f"[gpg]\n\tprogram = touch {canary}\n[diff]\n\texternal = touch {canary}\n",
    ),
}


@pytest.mark.parametrize("what", SERVED)
@pytest.mark.parametrize("way", ["mirror", "path"])
def test_settings_of_a_served_repository_hold_nobody_up(
    repository: MakeRepository, mirror: Mirror, tmp_path: Path, what: str, way: str
) -> None:
    published = repository(HUBCONF)
    canary = tmp_path / "canary"
    SERVED[what](published, canary)
    begun = time.monotonic()
    try:
        text = "octo/net:v1.0" if way == "mirror" else f"{published.path}:v1.0"
        assert fetch(tmp_path, text, mirror.url, 1.0 if "never" in what else 30.0).commit
        assert what == "programs"
    except CannotVerifyError:
        assert what != "programs"
    assert time.monotonic() - begun < 30
    assert not canary.exists()


@pytest.mark.parametrize("way", ["file", "ext"])
def test_objects_that_a_served_repository_lacks_are_fetched_from_nowhere(
    repository: MakeRepository, mirror: Mirror, tmp_path: Path, way: str
) -> None:
    """A partial clone names where the rest is, and by which program it comes."""
    published = repository({**HUBCONF, "lacking.py": "x = 1\n"})
    canary = tmp_path / "canary"
    blob = published.git("rev-parse", "HEAD:lacking.py")
    (published.path / f".git/objects/{blob[:2]}/{blob[2:]}").unlink()
    url = f"file://{published.path}" if way == "file" else f"ext::sh -c touch% {canary}"
    _config(
        published,
        "[extensions]\n\tpartialClone = origin\n"
        f'[remote "origin"]\n\turl = {url}\n\tpromisor = true\n\tpartialclonefilter = blob:none\n'
        f"\tuploadpack = touch {canary}; false\n"
        "[protocol]\n\tallow = always\n[core]\n\trepositoryFormatVersion = 1\n",
    )
    for text in ("octo/net:v1.0", f"{published.path}:v1.0"):
        with pytest.raises(CannotVerifyError):
            fetch(tmp_path, text, mirror.url)
    assert not canary.exists()


def test_a_working_tree_of_repositories_runs_nothing(mirror: Mirror, tmp_path: Path) -> None:
    published = mirror.publish(HUBCONF, name="octo/outer")
    inner = mirror.publish({"a.py": "x = 1\n"}, name="octo/outer/inner")
    canary = tmp_path / "canary"
    for made in (published, inner):
        _config(made, EVIL.decode().replace("CANARY", str(canary)))
        _config(made, f'[filter "evil"]\n\tclean = touch {canary}\n\trequired = true\n')
        made.write({".gitattributes": "* filter=evil\n"})
    own = tmp_path / "work"
    own.mkdir()
    assert checkout(parse(str(published.path), working_tree=True), own, mirror.url).files >= 1
    assert not canary.exists()


ODD_REFS = {
    "a tag of tags": 0,
    "a tag of a file": 4,
    "a tag of a tree": 4,
    "a plain tag of a tree": 4,
    "a branch that stands for another": 0,
    "a branch that stands for itself": 4,
    "a branch that stands for none": 4,
    "a branch and a tag": 0,
    "v$(touch${IFS}canary)": 0,
    "v`touch`canary&|<>;\"'": 0,
    "v[31m": 2,
    "v@x": 0,
    "v\N{RIGHT-TO-LEFT OVERRIDE}x": 0,
}
NO_COMMIT = {"a tag of a file", "a tag of a tree", "a plain tag of a tree"}


@pytest.mark.sandbox
@pytest.mark.parametrize("what", ODD_REFS)
def test_odd_references_are_taken_or_refused_in_words(
    hubpub: RunHubpub, repository: MakeRepository, tmp_path: Path, what: str
) -> None:
    published = repository({"hubconf.py": "def net():\n    'x'\n    return 1\n"})
    git = published.git
    ref = what if what.startswith("v") else "odd"
    if what == "a tag of tags":
        git("tag", "-a", "one", "-m", "x")
        git("tag", "-a", "two", "-m", "x", "one")
        git("tag", "-a", "odd", "-m", "x", "two")
    elif what == "a tag of a file":
        git("tag", "-a", "odd", "-m", "x", "HEAD:hubconf.py")
    elif what == "a tag of a tree":
        git("tag", "-a", "odd", "-m", "x", "HEAD^{tree}")
    elif what == "a plain tag of a tree":
        git("update-ref", "refs/tags/odd", git("rev-parse", "HEAD^{tree}"))
    elif what.startswith("a branch that"):
        to = {"another": "main", "itself": "odd", "none": "gone"}[what.rsplit(maxsplit=1)[-1]]
        git("symbolic-ref", "refs/heads/odd", f"refs/heads/{to}")
    elif what == "a branch and a tag":
        git("branch", "odd")
        git("commit", "--allow-empty", "-m", "x")
        git("tag", "odd")
    elif ODD_REFS[what] == 0:
        git("update-ref", f"refs/tags/{ref}", "HEAD")
    file = tmp_path / "report.json"
    done = hubpub("verify", f"octo/net:{ref}", "--device", "cpu", "--output-format", f"json:{file}")
    assert done.returncode == ODD_REFS[what], done.stderr
    assert "defect" not in done.stderr
    assert ("names no commit" in done.stderr) == (what in NO_COMMIT)
    assert not (tmp_path / "canary").exists()
    assert not {"\x1b", "\u202e"} & set(done.stdout + done.stderr)
