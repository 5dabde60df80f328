"""``hubpub stamp`` as it is typed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pty
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from conftest import RunHubpub
from hubpub.source.facts import HASH_REGEX, RELEASE_LIMIT
from publishing import Server, clean_environment, write_files

DATA = b"weights" * 1000
P = hashlib.sha256(DATA).hexdigest()[:8]


def names(folder: Path) -> list[str]:
    """What is in a folder, the fixtures' own aside."""
    return sorted(path.name for path in folder.iterdir() if path.name not in {"home", "mirror"})


def test_a_checkpoint_is_renamed(hubpub: RunHubpub, tmp_path: Path) -> None:
    write_files(tmp_path, {"w/model.pth": DATA})
    (tmp_path / "w/model.pth").chmod(0o640)
    before = (tmp_path / "w/model.pth").stat()
    done = hubpub("stamp", "w/model.pth", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"w/model.pth -> w/model-{P}.pth\n")
    assert names(tmp_path / "w") == [f"model-{P}.pth"]
    after = (tmp_path / f"w/model-{P}.pth").stat()
    assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (
        before.st_ino, before.st_mode, before.st_mtime_ns,
    )  # fmt: skip
    assert (tmp_path / f"w/model-{P}.pth").read_bytes() == DATA
    again = hubpub("stamp", f"w/model-{P}.pth", cwd=tmp_path)
    assert (again.returncode, again.stdout) == (0, f"w/model-{P}.pth -> w/model-{P}.pth\n")
    assert f"note: model-{P}.pth: it has the stamp of its content already" in again.stderr


def test_what_changes_about_the_name_is_said(hubpub: RunHubpub, tmp_path: Path) -> None:
    write_files(tmp_path, {"unet-2.0-cafebabe": DATA, "my net.pth": DATA})
    done = hubpub("stamp", "unet-2.0-cafebabe", "my net.pth", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert names(tmp_path) == [f"my net-{P}.pth", f"unet_2.0-{P}.pth"]
    for words in (
        "unet-2.0-cafebabe: the loader would take 2 for the stamp at '-2.': _ takes the place of -",
        "unet-2.0-cafebabe: the stamp cafebabe was of other content, and is replaced",
    ):
        assert f"note: {words}\n" in done.stderr
    assert ".pth is added" in done.stderr
    assert (
        "warning: GitHub may put full stops for ' ' in the name of a release asset" in done.stderr
    )


def test_a_copy_leaves_the_file(hubpub: RunHubpub, tmp_path: Path) -> None:
    write_files(tmp_path, {"model.pth": DATA})
    os.utime(tmp_path / "model.pth", ns=(1_000_000_000, 2_000_000_000))
    (tmp_path / "model.pth").chmod(0o600)
    done = hubpub("stamp", "--copy", "model.pth", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"model.pth -> model-{P}.pth\n")
    assert names(tmp_path) == [f"model-{P}.pth", "model.pth"]
    made = tmp_path / f"model-{P}.pth"
    assert (made.read_bytes(), made.stat().st_mtime_ns) == (DATA, 2_000_000_000)
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert made.stat().st_ino != (tmp_path / "model.pth").stat().st_ino


@pytest.mark.parametrize("more", [(), ("--copy",)])
def test_a_dry_run_changes_nothing(
    hubpub: RunHubpub, tmp_path: Path, more: tuple[str, ...]
) -> None:
    write_files(tmp_path, {"model.pth": DATA})
    done = hubpub("stamp", "--dry-run", *more, "model.pth", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"model.pth -> model-{P}.pth\n")
    assert names(tmp_path) == ["model.pth"]


def test_json_says_it_all(hubpub: RunHubpub, tmp_path: Path) -> None:
    write_files(tmp_path, {"model.pth": DATA, f"right-{P}.pth": DATA})
    done = hubpub(
        "stamp", "--digits", "12", "--output-format", "json",
        "model.pth", f"right-{P}.pth", "absent.pth", cwd=tmp_path,
    )  # fmt: skip
    sha256 = hashlib.sha256(DATA).hexdigest()
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert (found["version"], found["dry_run"]) == (1, False)
    assert [(item["path"], item["status"], item["new"]) for item in found["files"]] == [
        ("model.pth", "renamed", f"model-{sha256[:12]}.pth"),
        (f"right-{P}.pth", "renamed", f"right-{sha256[:12]}.pth"),
        ("absent.pth", "failed", None),
    ]
    assert [item["sha256"] for item in found["files"]] == [sha256, sha256, None]
    assert found["files"][0]["size"] == len(DATA)
    assert found["files"][2]["error"] == "there is no file absent.pth"


def test_each_file_is_told_and_one_that_fails_is_exit_1(hubpub: RunHubpub, tmp_path: Path) -> None:
    write_files(tmp_path, {"a.pth": DATA, "b.pth": b"", "c.pth": DATA})
    done = hubpub("stamp", "a.pth", "b.pth", "c.pth", "a.pth", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (
        1, f"a.pth -> a-{P}.pth\nc.pth -> c-{P}.pth\n"
    )  # fmt: skip
    assert "error: b.pth is empty" in done.stderr
    assert names(tmp_path) == [f"a-{P}.pth", "b.pth", f"c-{P}.pth"]


LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"
ZIP = b"PK\x03\x04" + bytes(100)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (LFS, "a pointer of git LFS, not the checkpoint\n  help: run `git lfs pull` first"),
        ("\n<!DOCTYPE html><html></html>", "is a page, not a checkpoint"),
        ("\ufeff<html>", "is a page, not a checkpoint"),
        ("<?xml version='1.0'?><Error><Code>AccessDenied</Code>", "is a page"),
        (ZIP, "is cut short"),
    ],
)
@pytest.mark.parametrize("copy", [(), ("--copy",)])
def test_what_is_no_checkpoint_is_refused(
    hubpub: RunHubpub, tmp_path: Path, content: str | bytes, words: str, copy: tuple[str, ...]
) -> None:
    write_files(tmp_path, {"model.pth": content})
    done = hubpub("stamp", *copy, "model.pth", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert names(tmp_path) == ["model.pth"]


def test_what_torch_saves_is_not_refused(hubpub: RunHubpub, tmp_path: Path) -> None:
    write_files(tmp_path, {"model.pth": ZIP + b"PK\x05\x06" + bytes(18)})
    assert hubpub("stamp", "model.pth", cwd=tmp_path).returncode == 0


def test_other_kinds_of_files_are_refused(hubpub: RunHubpub, tmp_path: Path) -> None:
    write_files(tmp_path, {"real/model.pth": DATA})
    os.mkfifo(tmp_path / "fifo.pth")
    (tmp_path / "link.pth").symlink_to("real/model.pth")
    (tmp_path / "broken.pth").symlink_to("nowhere")
    done = hubpub(
        "stamp", "real", "fifo.pth", "link.pth", "broken.pth", "/dev/null", "real/model.pth/x",
        "x" * 300, cwd=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    for words in (
        "real is a directory\n  help: name the checkpoints in it",
        "fifo.pth is a FIFO",
        "link.pth is a symbolic link to real/model.pth\n  help: name that file itself, or --copy",
        "broken.pth is a symbolic link to nowhere",
        "/dev/null is a device",
        "real/model.pth/x cannot be read: Not a directory",
        "cannot be read: File name too long",
    ):
        assert words in done.stderr
    assert names(tmp_path) == ["broken.pth", "fifo.pth", "link.pth", "real"]


def test_a_copy_of_a_link_is_a_file(hubpub: RunHubpub, tmp_path: Path) -> None:
    """As in the cache of huggingface_hub, where names are links to blobs."""
    write_files(tmp_path, {"blobs/x": DATA})
    (tmp_path / "model.pth").symlink_to("blobs/x")
    (tmp_path / "broken.pth").symlink_to("nowhere")
    done = hubpub("stamp", "--copy", "model.pth", "broken.pth", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, f"model.pth -> model-{P}.pth\n")
    assert not (tmp_path / f"model-{P}.pth").is_symlink()
    assert "broken.pth is a link to nothing" in done.stderr


@pytest.mark.parametrize("more", [(), ("--copy",), ("--dry-run",)])
def test_nothing_is_overwritten(hubpub: RunHubpub, tmp_path: Path, more: tuple[str, ...]) -> None:
    write_files(tmp_path, {"model.pth": DATA, f"model-{P}.pth": "mine"})
    done = hubpub("stamp", *more, "model.pth", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"error: model-{P}.pth is already there, and stamp never overwrites" in done.stderr
    assert (tmp_path / f"model-{P}.pth").read_text() == "mine"
    assert (tmp_path / "model.pth").read_bytes() == DATA
    assert names(tmp_path) == [f"model-{P}.pth", "model.pth"]


def test_two_files_that_would_get_one_name(hubpub: RunHubpub, tmp_path: Path) -> None:
    write_files(tmp_path, {"m-cafebabe.pth": DATA, "m.pth": DATA})
    done = hubpub("stamp", "m-cafebabe.pth", "m.pth", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, f"m-cafebabe.pth -> m-{P}.pth\n")
    assert names(tmp_path) == [f"m-{P}.pth", "m.pth"]


def test_a_name_that_gets_too_long(hubpub: RunHubpub, tmp_path: Path) -> None:
    name = f"{'x' * 245}.pth"
    write_files(tmp_path, {name: DATA})
    done = hubpub("stamp", name, cwd=tmp_path)
    assert done.returncode == 1
    assert f"x-{P}.pth cannot be made or changed: File name too long" in done.stderr
    assert names(tmp_path) == [name]


def test_names_with_anything_in_them_are_shown_escaped(hubpub: RunHubpub, tmp_path: Path) -> None:
    name = "red\x1b[31m\n\u202e\udcff.pth"
    (tmp_path / name).write_bytes(DATA)
    done = hubpub("stamp", name, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("red\\x1b[31m\\n\\u202e\\udcff.pth -> ")
    assert done.stdout.count("\n") == 1
    assert "\x1b" not in done.stdout + done.stderr
    assert len(names(tmp_path)) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Missing argument 'FILE...'"),
        (("--digits", "7", "m.pth"), "--digits"),
        (("--digits", "65", "m.pth"), "--digits"),
        (("--every", "m.pth"), "add --update"),
        (("--root", ".", "m.pth"), "add --update"),
        (("--update", "m.pth"), "there is no hubconf.py"),
        (("--update", "--root", ".", "m.pth"), "there is no hubconf.py in ."),
        (("--diff", "--output-format", "json", "m.pth"), "--diff"),
    ],
)
def test_usage(hubpub: RunHubpub, tmp_path: Path, arguments: tuple[str], words: str) -> None:
    write_files(tmp_path, {"m.pth": DATA})
    done = hubpub("stamp", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert names(tmp_path) == ["m.pth"]


@pytest.mark.slow
def test_a_file_larger_than_a_release_asset(hubpub: RunHubpub, tmp_path: Path) -> None:
    with (tmp_path / "huge.pth").open("wb") as file:
        file.truncate(RELEASE_LIMIT + 1)  # a hole: it takes no space
    done = hubpub("stamp", "huge.pth", cwd=tmp_path, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "huge.pth is 2.0 GiB, more than a release asset holds (HUB401)" in done.stderr
    assert "help: split it, store it in half precision, or host it elsewhere" in done.stderr


FORBIDDEN = """
import contextlib, os, sys
from pathlib import Path
from hubpub.stamping import stamp
if os.getuid() == 0:  # whom nothing is forbidden
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
watch = lambda path, size: contextlib.nullcontext([].append)
for outcome in stamp([Path("model.pth"), Path(sys.argv[1])], watch=watch):
    print(outcome.error)
"""


def test_an_ordinary_user_is_told_what_is_forbidden(tmp_path: Path) -> None:
    write_files(tmp_path, {"locked/model.pth": DATA, "secret.pth": DATA})
    (tmp_path / "locked").chmod(0o555)
    (tmp_path / "secret.pth").chmod(0)
    for folder in [tmp_path, *tmp_path.parents[:2]]:
        folder.chmod(folder.stat().st_mode | 0o055)
    done = subprocess.run(
        [sys.executable, "-c", FORBIDDEN, tmp_path / "secret.pth"],
        cwd=tmp_path / "locked",
        env=clean_environment(tmp_path / "home"),
        capture_output=True,
        text=True,
    )
    (tmp_path / "locked").chmod(0o755)
    assert done.stdout.splitlines() == [
        f"model-{P}.pth cannot be made or changed: Permission denied",
        f"{tmp_path}/secret.pth cannot be read: Permission denied",
    ], done.stderr
    assert names(tmp_path / "locked") == ["model.pth"]


def test_a_full_disk_leaves_no_copy(tmp_path: Path) -> None:
    write_files(tmp_path, {"model.pth": DATA})
    # A limit on the size of a file stands in for the disk.
    done = subprocess.run(
        ["bash", "-c", f'ulimit -f 1; exec "{sys.executable}" -m hubpub stamp --copy model.pth'],
        cwd=tmp_path,
        # Or the limit cuts what Python compiles, and every later run of this checkout fails.
        env={**clean_environment(tmp_path / "home"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    assert "model.pth cannot be read or copied: File too large" in done.stderr
    assert names(tmp_path) == ["model.pth"]


@pytest.mark.parametrize("copy", [(), ("--copy",)])
def test_ctrl_c_while_it_reads(tmp_path: Path, copy: tuple[str, ...]) -> None:
    """Interrupted once the first file is done and the second, a hole of 1 TiB, is being read."""
    write_files(tmp_path, {"first.pth": DATA})
    with (tmp_path / "second.pth").open("wb") as file:
        file.truncate(1 << 40)
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "hubpub", "stamp", *copy, "first.pth", "second.pth"],
        cwd=tmp_path,
        env=clean_environment(tmp_path / "home"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == f"first.pth -> first-{P}.pth\n"
    while copy and not list(tmp_path.glob(".hubpub-*")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "interrupted" in told
    kept = ["first.pth"] if copy else []
    assert names(tmp_path) == [f"first-{P}.pth", *kept, "second.pth"]


def test_a_terminal_sees_a_bar(tmp_path: Path) -> None:
    write_files(tmp_path, {"model.pth": DATA})
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "hubpub", "stamp", "model.pth"],
        cwd=tmp_path,
        env=clean_environment(tmp_path / "home") | {"TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    )
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # how Linux says that the other end is closed
        while piece := os.read(ours, 4096):
            shown += piece
    os.close(ours)
    assert done.stdout == f"model.pth -> model-{P}.pth\n"
    assert b"model.pth" in shown
    assert b"100%" in shown


LOADED = """
import sys, torch
for url in sys.argv[2:]:
    try:
        torch.hub.load_state_dict_from_url(
            url, model_dir=f"{sys.argv[1]}/{url.split('/')[3]}",
            check_hash=True, weights_only=True, progress=False,
        )
        print("loaded")
    except RuntimeError as error:
        print(error)
"""


def test_the_real_loader_checks_every_stamped_name(
    hubpub: RunHubpub, http_server: Server, tmp_path: Path
) -> None:
    """And refuses other content under the same name: the stamp is what it compares."""
    import torch

    old = [
        "resnet-50.v1.pth", "unet-2.0.pth", "bert-base.pth.tar", "model-abc.pth", "x-.pth", "-.pth",
        "m-cafebabe.pth", "m-20240131.pt", "ViT-B-32.pt", "tiny-1.0-cafebabe.pth", "plain", "v-1.0",
        "m.f37072fd.v-2.ckpt", "größe-3é.pth", "step-1000-2.bin",
    ]  # fmt: skip
    folder = tmp_path / "w"
    folder.mkdir()
    for index, name in enumerate(old):
        torch.save({"weight": torch.full((2,), float(index))}, folder / name)
    done = hubpub("stamp", "--", *old, cwd=folder)
    assert done.returncode == 0, done.stderr
    new = names(folder)
    assert len(new) == len(old)
    other = folder / "other"
    torch.save({"weight": torch.ones(3)}, other)
    http_server.serve({f"/a/{quote(name)}": (folder / name).read_bytes() for name in new})
    http_server.serve({f"/b/{quote(name)}": other.read_bytes() for name in new})

    urls = [http_server.url(f"/{which}/{quote(name)}") for which in "ab" for name in new]
    loaded = subprocess.run(
        [sys.executable, "-c", LOADED, str(tmp_path), *urls],
        env=clean_environment(tmp_path / "home"),
        capture_output=True,
        text=True,
    )
    assert loaded.returncode == 0, loaded.stderr
    told = [line for line in loaded.stdout.splitlines() if not line.startswith("Downloading")]
    assert told[: len(new)] == ["loaded"] * len(new)
    for name, line in zip(new, told[len(new) :], strict=True):
        match = HASH_REGEX.search(name)
        assert match is not None
        assert line.startswith(f'invalid hash value (expected "{match.group(1)}"')
