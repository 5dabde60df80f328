"""``hubpub stamp --update``: what names a checkpoint follows it, all of it or nothing."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from conftest import MakeRepository, RunHubpub
from failing import failing, tree, without_spares
from hubpub.errors import UsageError
from hubpub.stamping import Outcome, placing, stamp
from hubpub.stamping.updating import Code
from publishing import Link, clean_environment, write_files

DATA = b"weights" * 1000
P = hashlib.sha256(DATA).hexdigest()[:8]
RELEASE = "https://github.com/octo/net/releases/download/v1.0"
HUBCONF = f'''"""Weights: unet-2.0.pth."""
dependencies = ["torch"]
import torch


def unet(pretrained=False):
    """A network; its weights are unet-2.0.pth."""
    model = torch.nn.Linear(2, 1)
    if pretrained:
        # unet-2.0.pth is 1 MB
        url = "{RELEASE}/unet-2.0.pth"
        model.load_state_dict(torch.hub.load_state_dict_from_url(url, check_hash=True))
    return model
'''
FILES: Mapping[str, str | bytes | Link] = {
    "hubconf.py": HUBCONF,
    "README.md": f"Get [unet-2.0.pth]({RELEASE}/unet-2.0.pth), or `unet-2.0.pth.bak`.\n",
    "docs/use.rst": f"See {RELEASE}/unet-2.0.pth.\r\n",
    "CHANGELOG.md": "unet-2.0.pth was new.\n",
    "unet-2.0.pth": DATA,
}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def net(tmp_path: Path) -> Path:
    folder = tmp_path / "net"
    write_files(folder, FILES)
    return folder


def watch(path: Path, size: int) -> contextlib.nullcontext[Callable[[int], None]]:
    return contextlib.nullcontext(lambda count: None)


def update(folder: Path, *files: str, every: bool = False, copy: bool = False) -> list[Outcome]:
    code = Code(folder, every=every)
    paths = [folder / file for file in files]
    return list(stamp(paths, code=code, copy=copy, watch=watch))


def test_everything_that_names_it_follows(hubpub: RunHubpub, net: Path) -> None:
    before = tree(net)
    done = hubpub("stamp", "--update", "unet-2.0.pth", cwd=net)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"unet-2.0.pth -> unet_2.0-{P}.pth\n"
    after = tree(net)
    new = f"unet_2.0-{P}.pth"
    assert after.pop(new) == before.pop("unet-2.0.pth")
    for path in ("hubconf.py", "docs/use.rst"):
        assert after[path] == before[path].replace(b"unet-2.0.pth", new.encode())
    assert after["README.md"].decode() == f"Get [{new}]({RELEASE}/{new}), or `unet-2.0.pth.bak`.\n"
    assert after["CHANGELOG.md"] == before["CHANGELOG.md"]
    assert f"updated hubconf.py:11: unet-2.0.pth -> {new}" in done.stderr
    assert "check_hash" not in done.stderr
    # And again: nothing is left to do.
    again = hubpub("stamp", "--update", new, cwd=net)
    assert (again.returncode, again.stdout) == (0, f"{new} -> {new}\n")
    assert tree(net) == {**after, new: DATA}


@pytest.mark.parametrize("more", [("--diff",), ("--update", "--dry-run"), ("--update", "--diff")])
def test_it_can_be_looked_at_before(hubpub: RunHubpub, net: Path, more: tuple[str, ...]) -> None:
    before = tree(net)
    done = hubpub("stamp", *more, "unet-2.0.pth", cwd=net)
    assert done.returncode == 0, done.stderr
    assert tree(net) == before


def test_git_applies_the_diff(net: Path, tmp_path: Path) -> None:
    before = tree(net)
    done = subprocess.run(
        [sys.executable, "-m", "hubpub", "stamp", "--diff", "unet-2.0.pth"],
        cwd=net,
        env=clean_environment(tmp_path / "home"),
        capture_output=True,
    )
    assert (done.returncode, tree(net)) == (0, before)
    assert f"unet-2.0.pth -> unet_2.0-{P}.pth".encode() in done.stderr
    update(net, "unet-2.0.pth")
    after = tree(net)
    (net / f"unet_2.0-{P}.pth").unlink()
    write_files(net, FILES)
    subprocess.run(["git", "init", "--quiet"], cwd=net, check=True)
    subprocess.run(["git", "apply"], cwd=net, input=done.stdout, check=True)
    (net / "unet-2.0.pth").rename(net / f"unet_2.0-{P}.pth")
    assert tree(net) == after


def test_the_repository_around_is_updated(hubpub: RunHubpub, net: Path, tmp_path: Path) -> None:
    write_files(tmp_path, {"out/unet-2.0.pth": DATA})
    (net / "unet-2.0.pth").unlink()
    done = hubpub("stamp", "--update", "../../out/unet-2.0.pth", cwd=net / "docs")
    assert done.returncode == 0, done.stderr
    assert f"/unet_2.0-{P}.pth".encode() in (net / "hubconf.py").read_bytes()
    assert names(tmp_path / "out") == [f"unet_2.0-{P}.pth"]
    write_files(net, {path: text for path, text in FILES.items() if path != "unet-2.0.pth"})
    (tmp_path / "out" / f"unet_2.0-{P}.pth").rename(tmp_path / "out/unet-2.0.pth")
    done = hubpub("stamp", "--update", "--root", net, tmp_path / "out/unet-2.0.pth", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"/unet_2.0-{P}.pth".encode() in (net / "hubconf.py").read_bytes()


def test_the_stamp_of_the_model_before_is_known(net: Path) -> None:
    """A model is trained again: hubconf.py names it by the stamp of the one before."""
    text = HUBCONF.replace("unet-2.0.pth", "unet_2.0-cafebabe.pth")
    write_files(net, {"hubconf.py": text, "README.md": "", "docs/use.rst": ""})
    (outcome,) = update(net, "unet-2.0.pth")
    assert outcome.status == "renamed", outcome
    assert (net / "hubconf.py").read_text() == text.replace("cafebabe", P)


def test_what_was_stamped_before_is_written_into_the_code_later(net: Path) -> None:
    (net / "unet-2.0.pth").rename(net / f"unet_2.0-{P}.pth")
    write_files(net, {"hubconf.py": HUBCONF.replace("unet-2", "unet_2"), "README.md": ""})
    (outcome,) = update(net, f"unet_2.0-{P}.pth")
    assert outcome.status == "unchanged"
    assert f"{RELEASE}/unet_2.0-{P}.pth" in (net / "hubconf.py").read_text()


PYTHON = [
    # before, after
    ('U = "https://h/m.pth"', 'U = "https://h/NEW"'),
    ("U = 'weights/m.pth'", "U = 'weights/NEW'"),
    ('U = r"weights\\m.pth"', 'U = r"weights\\NEW"'),
    ('U = "https://zenodo.org/records/1/files/m.pth?download=1"',
     'U = "https://zenodo.org/records/1/files/NEW?download=1"'),
    ('U = f"https://h/{V}/m.pth"', 'U = f"https://h/{V}/NEW"'),
    ('U = f"{B}/m.pth" + f"{\'m.pth\'}"', 'U = f"{B}/NEW" + f"{\'NEW\'}"'),
    ('U = "https://h/" "m.pth"', 'U = "https://h/" "NEW"'),
    ('U = {"a": "m.pth", "m.pth": 1}', 'U = {"a": "NEW", "NEW": 1}'),
    ('U = """\nhttps://h/m.pth\n"""  # m.pth', 'U = """\nhttps://h/NEW\n"""  # NEW'),
    ('U = "m.pth"\r\nV = 2\r\n', 'U = "NEW"\r\nV = 2\r\n'),
    ('# coding: latin-1\nU = "m.pth"  # \xe9', '# coding: latin-1\nU = "NEW"  # \xe9'),
    # what is not its name
    ('U = "m.pth"; m = V; m.pth = 1', 'U = "NEW"; m = V; m.pth = 1'),
    ('U = "m.pth", "xm.pth", "m.pth.tar", "x-m.pth", "m.pth-1", "m.pthx", "../m.pth"',
     'U = "NEW", "xm.pth", "m.pth.tar", "x-m.pth", "m.pth-1", "m.pthx", "../NEW"'),
    ('U = "m.pth", "m-20240131.pth", "m-ema.pth"', 'U = "NEW", "m-20240131.pth", "m-ema.pth"'),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), PYTHON)
def test_strings_and_comments_of_python(before: str, after: str, tmp_path: Path) -> None:
    encoding = "latin-1" if "latin-1" in before else "utf-8"
    head = "V = B = ''\ndef net():\n    ...\n"
    lines = before.split("\n", 1) if before.startswith("#") else ["", before]
    text = f"{lines[0]}\n{head}{lines[1]}"
    write_files(tmp_path, {"w/m.pth": DATA, "net/hubconf.py": text.encode(encoding)})
    code = Code(tmp_path / "net")
    (outcome,) = stamp([tmp_path / "w/m.pth"], code=code, watch=watch)
    assert outcome.error is None
    wanted = after.replace("NEW", f"m-{P}.pth")
    first, _, rest = wanted.partition("\n") if wanted.startswith("#") else ("", "", wanted)
    assert (tmp_path / "net/hubconf.py").read_bytes() == f"{first}\n{head}{rest}".encode(encoding)


DIFFERENT = [
    # What several places say, and what is told of them.
    ('U = "https://h/a/m.pth", "https://h/b/m.pth"', "hubconf.py:1: https://h/b/m.pth"),
    ('U = "https://h/a/m.pth", "https://i/a/m.pth"', "hubconf.py:1: https://i/a/m.pth"),
    ('U = "m.pth", "m-cafebabe.pth"', "hubconf.py:1: m-cafebabe.pth"),
    ('U = "m-deadbeef.pth", "m-cafebabe.pth"', "hubconf.py:1: m-cafebabe.pth"),
    ('U = "m.pth"', "other/m.pth: a file of the tree"),
]


@pytest.mark.parametrize(("line", "told"), DIFFERENT)
def test_places_that_name_different_things(line: str, told: str, tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"hubconf.py": f"{line}\n", "m.pth": DATA}
    if "other/" in told:
        files["other/m.pth"] = b"x"
    write_files(tmp_path, files)
    before = tree(tmp_path)
    (outcome,) = update(tmp_path, "m.pth")
    assert outcome.status == "failed"
    assert "name different things" in str(outcome.error)
    assert told in str(outcome.help).splitlines()
    assert tree(tmp_path) == before
    (outcome,) = update(tmp_path, "m.pth", every=True)
    assert outcome.status == "renamed"
    text = (tmp_path / "hubconf.py").read_text()
    assert "m.pth" not in text
    assert "-cafebabe" not in text


SAME = [
    'U = "https://huggingface.co/o/r/resolve/v1/m.pth", "https://huggingface.co/o/r/blob/v1/m.pth"',
    'U = "https://h/m.pth", "http://h/m.pth", "m.pth", "weights/m.pth"',
]


@pytest.mark.parametrize("line", SAME)
def test_places_that_name_the_same(line: str, tmp_path: Path) -> None:
    write_files(tmp_path, {"hubconf.py": f"{line}\n", "weights/m.pth": DATA})
    (outcome,) = update(tmp_path, "weights/m.pth")
    assert outcome.status == "renamed", outcome
    assert "m.pth" not in (tmp_path / "hubconf.py").read_text()


def test_the_path_of_another_file_stays(tmp_path: Path) -> None:
    text = 'U = "large/m.pth", "small/m.pth", "weights/small/m.pth"\n'
    write_files(tmp_path, {"hubconf.py": text, "weights/small/m.pth": DATA, "large/m.pth": b"x"})
    (outcome,) = update(tmp_path, "weights/small/m.pth")
    assert outcome.notes == ("hubconf.py:1: large/m.pth is another file and stays",)
    assert (tmp_path / "hubconf.py").read_text() == (
        f'U = "large/m.pth", "small/m-{P}.pth", "weights/small/m-{P}.pth"\n'
    )


def test_a_name_that_is_put_together_is_not_guessed_at(hubpub: RunHubpub, tmp_path: Path) -> None:
    write_files(
        tmp_path / "net", {"hubconf.py": 'def m(n="m"): return f"{n}.pth"\n', "m.pth": DATA}
    )
    done = hubpub("stamp", "--update", "m.pth", cwd=tmp_path / "net")
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing in hubconf.py, the modules it imports, README and docs names m.pth" in (
        done.stderr
    )
    assert "put together from parts" in done.stderr
    assert names(tmp_path / "net") == ["hubconf.py", "m.pth"]


def test_modules_and_quoted_names_follow(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "hubconf.py": "from net.zoo import net\n",
        "net/zoo.py": 'URLS = {"net": "https://h/my%20net%C3%A9.pth"}\ndef net(): ...\n',
        "scripts/other.py": 'U = "my neté.pth"\n',
        "README.md": "`my neté.pth`, https://h/my%20net%C3%A9.pth\n",
        "my neté.pth": DATA,
    }
    write_files(tmp_path, files)
    (outcome,) = update(tmp_path, "my neté.pth")
    assert outcome.status == "renamed", outcome
    assert f'"https://h/my%20net%C3%A9-{P}.pth"' in (tmp_path / "net/zoo.py").read_text()
    assert (tmp_path / "README.md").read_text() == (
        f"`my neté-{P}.pth`, https://h/my%20net%C3%A9-{P}.pth\n"
    )
    assert (tmp_path / "scripts/other.py").read_text() == files["scripts/other.py"]


def test_code_that_is_broken_is_left(hubpub: RunHubpub, net: Path) -> None:
    write_files(net, {"zoo.py": "U = 'unet-2.0.pth'\nU = (\n"})
    text = (net / "hubconf.py").read_text()
    write_files(net, {"hubconf.py": text.replace("def unet", "import zoo\n\n\ndef unet")})
    before = tree(net)
    (outcome,) = update(net, "unet-2.0.pth")
    assert outcome.error == "zoo.py cannot be changed: line 2: '(' was never closed"
    assert tree(net) == before
    write_files(net, {"hubconf.py": "import torch\ndef net(:\n"})
    done = hubpub("stamp", "--update", "unet-2.0.pth", cwd=net)
    assert done.returncode == 2
    assert "hubconf.py:2: invalid syntax\n  help: mend it first" in done.stderr


def test_what_else_names_it_is_shown(net: Path) -> None:
    """Where the path of git LFS is no longer that of the file, git would take the file itself."""
    files = {
        ".gitattributes": "*.bin filter=lfs\nunet-2.0.pth filter=lfs diff=lfs -text\n",
        "scripts/train.py": "torch.save(state, 'unet-2.0.pth')\n",
        "pyproject.toml": "[tool.x]\n",
    }
    write_files(net, files)
    (outcome,) = update(net, "unet-2.0.pth")
    assert [note for note in outcome.notes if "not rewritten" in note] == [
        ".gitattributes:2: unet-2.0.pth is not rewritten: look at it yourself",
        "scripts/train.py:1: unet-2.0.pth is not rewritten: look at it yourself",
    ]
    assert {path: (net / path).read_text() for path in files} == files


def test_several_files_are_updated_together(tmp_path: Path) -> None:
    text = "".join(f'{n} = "https://h/{n}.pth"\n' for n in "abc")
    write_files(tmp_path, {"hubconf.py": text, **{f"{n}.pth": DATA + n.encode() for n in "abd"}})
    a, b, d = update(tmp_path, "a.pth", "b.pth", "d.pth")
    assert [item.status for item in (a, b, d)] == ["renamed", "renamed", "failed"]
    assert a.new is not None
    assert b.new is not None
    wanted = text.replace("/a.pth", f"/{a.new.name}").replace("/b.pth", f"/{b.new.name}")
    assert (tmp_path / "hubconf.py").read_text() == wanted
    assert names(tmp_path) == sorted([a.new.name, b.new.name, "d.pth", "hubconf.py"])


UNREAD = [
    ("load_state_dict_from_url(U)", "hubconf.py:3: m-NEW.pth is loaded without check_hash=True"),
    ("load_state_dict_from_url(U, check_hash=False)", "hubconf.py:3: m-NEW.pth is loaded without"),
    ("load_state_dict_from_url(U, check_hash=True)", None),
    (
        "load(U)",
        (
            "no call is seen that fetches m-NEW.pth from a URL, so torch.hub does not read its "
            "stamp; hubpub verify does"
        ),
    ),
]


@pytest.mark.parametrize(("call", "told"), UNREAD)
def test_a_stamp_that_nobody_reads(call: str, told: str | None, tmp_path: Path) -> None:
    text = f'from torch.hub import *\nU = "https://h/m.pth"\ndef net(): return {call}\n'
    text = text.replace("*", call.partition("(")[0])
    write_files(tmp_path, {"hubconf.py": text, "m.pth": DATA})
    (outcome,) = update(tmp_path, "m.pth")
    shown = [text for text, _ in outcome.warnings]
    assert len(shown) == (told is not None)
    assert all(text.startswith(str(told).replace("NEW", P)) for text in shown)


def test_json_tells_the_places(hubpub: RunHubpub, net: Path) -> None:
    done = hubpub("stamp", "--update", "--output-format", "json", "unet-2.0.pth", cwd=net)
    (item,) = json.loads(done.stdout)["files"]
    assert {(place["path"], place["line"]) for place in item["changes"]} == {
        ("hubconf.py", 1), ("hubconf.py", 7), ("hubconf.py", 10), ("hubconf.py", 11),
        ("README.md", 1), ("docs/use.rst", 1),
    }  # fmt: skip


# --- all or nothing -------------------------------------------------------------------------------


def test_modes_owners_and_bytes_stay(net: Path) -> None:
    data = b"\xef\xbb\xbf" + HUBCONF.replace("\n", "\r\n").encode()
    (net / "hubconf.py").write_bytes(data)
    (net / "hubconf.py").chmod(0o751)
    (net / "README.md").chmod(0o600)
    (outcome,) = update(net, "unet-2.0.pth")
    assert outcome.status == "renamed", outcome
    new = data.replace(b"unet-2.0.pth", f"unet_2.0-{P}.pth".encode())
    assert (net / "hubconf.py").read_bytes() == new
    assert stat.S_IMODE((net / "hubconf.py").stat().st_mode) == 0o751
    assert stat.S_IMODE((net / "README.md").stat().st_mode) == 0o600
    assert names(net) == ["CHANGELOG.md", "README.md", "docs", "hubconf.py", f"unet_2.0-{P}.pth"]


@pytest.mark.parametrize(
    ("files", "mode", "words"),
    [
        ({}, 0o444, "README.md cannot be changed: the file is read-only"),
        ({"README.md": b"\xff unet-2.0.pth"}, 0o644, "not every byte of it is valid"),
        ({"other": "unet-2.0.pth", "README.md": Link("other")}, 0o644, "reached through a symlink"),
    ],
)
def test_a_file_that_cannot_be_changed_stops_all(
    net: Path, files: Mapping[str, str | bytes | Link], mode: int, words: str
) -> None:
    if files:
        (net / "README.md").unlink()
    write_files(net, files)
    if mode == 0o444:
        (net / "README.md").chmod(mode)
    before = tree(net)
    (outcome,) = update(net, "unet-2.0.pth")
    assert outcome.status == "failed"
    assert words in str(outcome.error)
    assert tree(net) == before


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "none"])
@pytest.mark.parametrize("which", range(1, 16))
def test_whatever_step_fails_everything_is_as_before(
    net: Path, monkeypatch: pytest.MonkeyPatch, which: int, links: bool
) -> None:
    """The renames and links fail in turn, as on a full disk; undoing them works again."""
    before = tree(net)
    whole = before | {
        path: (net / path).read_bytes().replace(b"unet-2.0.pth", f"unet_2.0-{P}.pth".encode())
        for path in ("hubconf.py", "docs/use.rst")
    }
    whole["README.md"] = before["README.md"].replace(b"unet-2.0.pth", b"@", 2)
    whole["README.md"] = whole["README.md"].replace(b"@", f"unet_2.0-{P}.pth".encode())
    whole[f"unet_2.0-{P}.pth"] = whole.pop("unet-2.0.pth")
    code = Code(net)
    with failing(monkeypatch, which, OSError(28, "No space left on device"), links) as failed:
        (outcome,) = stamp([net / "unet-2.0.pth"], code=code, watch=watch)
    after = without_spares(tree(net), failed)
    assert after in (before, whole)
    assert (outcome.status == "failed") == (after == before)
    assert after == whole or failed


def test_a_file_that_is_edited_meanwhile_stops_all(net: Path) -> None:
    code = Code(net)
    (net / "README.md").write_text("unet-2.0.pth, and more\n")
    before = tree(net)
    (outcome,) = stamp([net / "unet-2.0.pth"], code=code, watch=watch)
    assert outcome.status == "failed"
    assert tree(net) == before


def test_a_checkpoint_that_changes_meanwhile_is_left(tmp_path: Path) -> None:
    """While it is read, and between that and its renaming."""
    path = tmp_path / "m.pth"
    path.write_bytes(DATA)

    def grow(count: int) -> None:
        path.write_bytes(DATA + b"more")

    def swap(count: int) -> None:
        """Another file of the same size and time takes its place."""
        other = tmp_path / "other"
        other.write_bytes(bytes(len(DATA)))
        os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
        other.replace(path)

    changes = iter((grow, swap))
    for _ in range(2):
        (outcome,) = stamp([path], watch=lambda *_: contextlib.nullcontext(next(changes)))
        assert "changed while it was read" in str(outcome.error)
    assert names(tmp_path) == ["m.pth"]
    status = path.stat()
    stale = (status.st_dev, status.st_ino, status.st_size - 1, status.st_mtime_ns)
    with pytest.raises(UsageError, match="changed after it was read"):
        placing.place([placing.Move(path, tmp_path / "new.pth", stale)])
    assert names(tmp_path) == ["m.pth"]


@pytest.mark.parametrize("others", [0, 1])
def test_signals_wait_until_all_is_done(
    net: Path, monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    """Ctrl-C between the first rename and the last: it comes afterwards, and all is done.

    Also where another thread of the process would take the signal.
    """
    code = Code(net)
    ended = threading.Event()
    for _ in range(others):
        threading.Thread(target=ended.wait, daemon=True).start()
    real = os.link

    def interrupted(source: object, target: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        real(source, target)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "link", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(stamp([net / "unet-2.0.pth"], code=code, watch=watch))
    ended.set()
    monkeypatch.undo()
    assert b"unet-2.0.pth" not in (net / "hubconf.py").read_bytes()
    assert names(net) == ["CHANGELOG.md", "README.md", "docs", "hubconf.py", f"unet_2.0-{P}.pth"]


def test_without_hard_links_nothing_is_overwritten_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(source: object, target: object) -> None:
        raise PermissionError(1, "no hard links here", str(source), None, str(target))

    monkeypatch.setattr(os, "link", none)
    write_files(tmp_path, {"m.pth": DATA})
    (outcome,) = stamp([tmp_path / "m.pth"], watch=watch)
    assert outcome.status == "renamed"
    assert names(tmp_path) == [f"m-{P}.pth"]
    (tmp_path / "m.pth").write_bytes(DATA)
    status = (tmp_path / "m.pth").stat()
    mark = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    with pytest.raises(UsageError, match="already there"):
        placing.place([placing.Move(tmp_path / "m.pth", tmp_path / f"m-{P}.pth", mark)])
    assert names(tmp_path) == [f"m-{P}.pth", "m.pth"]


def test_git_sees_a_renaming(repository: MakeRepository, hubpub: RunHubpub) -> None:
    published = repository(FILES)
    assert hubpub("stamp", "--update", "unet-2.0.pth", cwd=published.path).returncode == 0
    published.git("add", "--all")
    assert f"unet-2.0.pth -> unet_2.0-{P}.pth" in published.git("status", "--short")


def test_check_is_content_with_what_update_wrote(hubpub: RunHubpub, net: Path) -> None:
    def codes() -> set[str]:
        done = hubpub("check", "--output-format", "json", net)
        found = json.loads(done.stdout)["diagnostics"]
        return {item["code"] for item in found if item["code"].startswith("HUB40")}

    assert "HUB405" in codes()
    assert hubpub("stamp", "--update", "unet-2.0.pth", cwd=net).returncode == 0
    assert not codes() & {"HUB402", "HUB403", "HUB404", "HUB405"}
