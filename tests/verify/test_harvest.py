"""What a dead job left: hashed when it is a plain file, refused by name when it is not."""

from __future__ import annotations

import hashlib
import os
import socket
import stat
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.verify.egress import Request
from hubpub.verify.formats import file_format
from hubpub.verify.harvest import (
    LeftFile,
    left_files,
    origins,
    remove,
    stamp,
)

SHA = "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec"


def test_only_plain_files_are_hashed(tmp_path: Path) -> None:
    cache = tmp_path / "torch/hub/checkpoints"
    cache.mkdir(parents=True)
    (cache / "m.pth").write_bytes(b"weights")
    (cache / "good.pth").write_bytes(b"good")
    (cache / "link.pth").symlink_to("/etc/passwd")
    (cache / "inside.pth").symlink_to("good.pth")
    (tmp_path / "outside").symlink_to("/etc", target_is_directory=True)
    os.mkfifo(cache / "fifo.pth")
    os.link(cache / "m.pth", tmp_path / "hard.pth")
    with (cache / "sparse.pth").open("wb") as file:
        file.truncate(1 << 20)
    with (cache / "big.pth").open("wb") as file:
        file.write(bytes(3 << 20))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(cache / "s.pth"))
    (tmp_path / "notes.txt").write_text("not a checkpoint")
    (cache / "half.0123.partial").write_bytes(b"torn")

    found = {Path(file.path).name: file for file in left_files(tmp_path, most_bytes=2 << 20)}

    assert {name: file.reason for name, file in found.items()} == {
        "m.pth": "has several hard links",
        "hard.pth": "has several hard links",
        "good.pth": None,
        "link.pth": "is a symbolic link",
        "inside.pth": "is a symbolic link",
        "fifo.pth": "is a FIFO",
        "s.pth": "is a socket",
        "sparse.pth": "is sparse",
        "big.pth": "is larger than the disk limit",
    }
    assert [name for name, file in found.items() if file.sha256] == ["good.pth"]
    assert found["good.pth"].sha256 == hashlib.sha256(b"good").hexdigest()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a device")
def test_a_device_is_refused(tmp_path: Path) -> None:
    os.mknod(tmp_path / "zero.pth", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    assert left_files(tmp_path, 100) == (LeftFile("zero.pth", 0, None, "is a device"),)


@pytest.mark.parametrize(
    "name",
    [b"\xff.pth", b"a\nb.pth", b"\x1b[31m.pth", "a\u202eb.pth".encode(), b"a\x7f.pth", b"\x85.pth"],
)
def test_a_name_that_cannot_be_shown_is_refused(name: bytes, tmp_path: Path) -> None:
    path = os.fsdecode(name)
    (tmp_path / path).write_bytes(b"x")
    (tmp_path / "d" / path).mkdir(parents=True)
    (tmp_path / "d" / path / "plain.pth").write_bytes(b"x")
    for file in left_files(tmp_path, 100):
        assert file.reason == "has a name with characters that cannot be shown"
    assert len(left_files(tmp_path, 100)) == 2
    (tmp_path / "größe 日本.pth").write_bytes(b"x")
    assert {file.path for file in left_files(tmp_path, 100) if file.sha256} == {"größe 日本.pth"}


def test_a_tree_too_deep_or_with_too_many_files_is_refused_by_name(tmp_path: Path) -> None:
    deep = tmp_path / "/".join(["d"] * 40)
    deep.mkdir(parents=True)
    (deep / "m.pth").write_bytes(b"x")
    (found,) = left_files(tmp_path, 100)
    assert found.reason == "is too deep to be looked into"
    assert set(found.path) == {"d", "/"}
    wide = tmp_path / "d" / "wide"
    wide.mkdir()
    for number in range(20_000):
        (wide / f"{number}.txt").touch()
    assert [file.reason for file in left_files(wide, 100)] == []
    (wide / "z.pth").touch()
    (found,) = left_files(wide, 100)
    assert (found.path, found.sha256) == ("z.pth", None)
    assert found.reason == "is one of more than 20000 files"


def snapshot(root: Path, target: str = "../../blobs/" + "a" * 64) -> Path:
    """The layout of huggingface_hub's cache: a name in a snapshot, which leads to its content."""
    model = root / "home/.cache/huggingface/hub/models--octo--net"
    (model / "snapshots/c0ffee/sub").mkdir(parents=True)
    (model / "blobs").mkdir()
    (model / "blobs" / ("a" * 64)).write_bytes(b"weights")
    (model / "snapshots/c0ffee/model.safetensors").symlink_to(target)
    return model


def test_a_name_in_the_cache_of_huggingface_hub_is_its_content(tmp_path: Path) -> None:
    model = snapshot(tmp_path)
    (model / "snapshots/c0ffee/sub/b.pt").symlink_to("../../../blobs/" + "a" * 64)
    digest = hashlib.sha256(b"weights").hexdigest()
    found = left_files(tmp_path, 100)
    assert [Path(file.path).name for file in found] == ["model.safetensors", "b.pt"]
    assert [file.sha256 for file in found] == [digest, digest]


@pytest.mark.parametrize(
    "target",
    ["/etc/passwd", "../../../../../../etc/passwd", "../../blobs/../blobs/" + "a" * 64,
     "../../blobs/passwd", "../blobs/" + "a" * 64, "../" * 30 + "blobs/" + "a" * 64],
)  # fmt: skip
def test_no_other_link_is_followed(target: str, tmp_path: Path) -> None:
    snapshot(tmp_path, target)
    (found,) = left_files(tmp_path, 100)
    assert (found.sha256, found.reason) == (None, "is a symbolic link")


@pytest.mark.parametrize("way", ["folder", "blob"])
def test_no_link_behind_that_link_is_followed(way: str, tmp_path: Path) -> None:
    model = snapshot(tmp_path)
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / ("a" * 64)).write_bytes(b"the host's")
    blob = model / "blobs" / ("a" * 64)
    blob.unlink()
    if way == "blob":
        blob.symlink_to(secret / ("a" * 64))
    else:
        (model / "blobs").rmdir()
        (model / "blobs").symlink_to(secret)
    (found,) = left_files(tmp_path, 100)
    assert found.sha256 is None
    assert found.reason


def test_a_directory_that_cannot_be_read_is_a_refusal(tmp_path: Path) -> None:
    (found,) = left_files(tmp_path / "gone", 1)
    assert found.sha256 is None


@pytest.mark.parametrize(
    ("name", "prefix", "status"),
    [
        ("m-f37072fd.pth", "f37072fd", "match"),
        ("m-f37072fd.pth.tar", "f37072fd", "match"),
        ("yolo-v5.1-f37072fd.pth", "f37072fd", "match"),
        (f"m-{SHA}.pth", SHA, "match"),
        ("m-0a1b2c3d.pth", "0a1b2c3d", "mismatch"),
        ("m-F37072FD.pth", None, "absent"),
        ("m_f37072fd.pth", None, "absent"),
        ("m-f37072fd", None, "absent"),
        ("x-.pth", None, "absent"),
        ("ViT-B-32.pt", None, "absent"),
        ("epoch-100.pth", None, "absent"),
        ("m-20240131.pth", None, "absent"),
        ("m-20249931.pth", "20249931", "mismatch"),
        ("m-1.0-f37072fd.pth", None, "absent"),
        ("m-f37.pth", "f37", "absent"),
    ],
)
def test_stamp_is_what_the_loader_reads(name: str, prefix: str | None, status: str) -> None:
    found = stamp(name, SHA)
    assert (found.prefix, found.status) == (prefix, status)


def test_file_formats(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="the verify extra is not installed")
    model = torch.nn.Linear(2, 2)
    torch.save(model.state_dict(), tmp_path / "zip")
    torch.save(model.state_dict(), tmp_path / "legacy", _use_new_zipfile_serialization=False)
    with pytest.warns(DeprecationWarning, match="deprecated"):
        torch.jit.script(model).save(str(tmp_path / "torchscript"))
    with zipfile.ZipFile(tmp_path / "legacy-zip", "w") as bundle:
        bundle.write(tmp_path / "legacy", "inner.pth")
    header = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    (tmp_path / "safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    (tmp_path / "html").write_bytes(b"\n <!DOCTYPE html><title>404</title>")
    (tmp_path / "unknown").write_bytes(b"\x80\x04 whatever")
    for path in tmp_path.iterdir():
        assert file_format(path) == path.name


@given(st.binary(max_size=600))
def test_any_bytes_have_a_format(data: bytes) -> None:
    with open(os.memfd_create("x"), "wb") as file:  # noqa: PTH123
        file.write(data)
        file.flush()
        assert file_format(Path(f"/proc/self/fd/{file.fileno()}"))


def test_sources_follow_redirects_back() -> None:
    def request(url: str, **fields: object) -> Request:
        return Request("job1", "GET", url, "allowed", **fields)  # type: ignore[arg-type]

    log = [
        request("https://x/other", status=200, sha256="0" * 64),
        request("https://x/a", status=302, location="/b"),
        request("https://x/b", status=302, location="https://cdn/c"),
        request("https://cdn/c", status=200, sha256=SHA),
        request("https://x/short", status=404, sha256=SHA),
    ]
    assert origins(log)[SHA] == ("https://x/a", "https://x/b", "https://cdn/c")
    assert origins(log).get("1" * 64, ()) == ()


def test_a_wide_tree_takes_few_descriptors(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"d{number}").mkdir()
    (tmp_path / "z.pt").write_bytes(b"weights")
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from hubpub.verify.harvest import left_files\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))\n"
        "print([(file.path, file.reason) for file in left_files(Path(sys.argv[1]), 1 << 20)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[('z.pt', None)]"


def test_a_path_too_long_to_be_opened_is_refused(tmp_path: Path) -> None:
    script = "import os\nfor _ in range(25): os.mkdir('d' * 250); os.chdir('d' * 250)\n"
    script += "open('x.pt', 'w').close()"
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    (found,) = left_files(tmp_path, 1 << 20)
    assert found.reason == "is too deep to be looked into"


def test_remove_takes_away_anything(tmp_path: Path) -> None:
    folder = tmp_path / "left"
    script = "import os\nfor _ in range(1500): os.mkdir('d'); os.chdir('d')\nos.chmod('.', 0)"
    folder.mkdir()
    subprocess.run(["python3", "-c", script], cwd=folder, check=True)
    (folder / "closed").mkdir(mode=0o000)
    remove(folder)
    assert not folder.exists()


def test_a_zip_with_a_huge_directory_is_not_opened(tmp_path: Path) -> None:
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65535, 65535, 1 << 30, 4, 0)
    (tmp_path / "bomb").write_bytes(b"PK\x03\x04" + end)
    assert file_format(tmp_path / "bomb") == "unknown"
