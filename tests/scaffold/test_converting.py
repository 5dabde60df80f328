"""A checkpoint is read and not loaded: its form, its hash, and the name that the loader reads."""

from __future__ import annotations

import hashlib
import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.errors import UsageError
from hubpub.scaffold import converting
from hubpub.scaffold.looking import SUFFIXES
from hubpub.source.facts import HASH_REGEX

DIGEST = "0a1b2c3d" * 8


def archive(members: dict[str, bytes]) -> bytes:
    """A zip file as torch.save and torch.jit.save write it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as written:
        for name, data in members.items():
            written.writestr(name, data)
    return stream.getvalue()


def tensors(header: bytes = b"{}") -> bytes:
    """A safetensors file."""
    return struct.pack("<Q", len(header)) + header


def several(*items: object) -> bytes:
    """Pickles one after another, as torch.save wrote them before 1.6."""
    return b"".join(pickle.dumps(item, 2) for item in items)


class Foreign:
    """A class of the publisher's own, as a whole pickled model holds it."""


PLAIN = pickle.dumps(OrderedDict(weight=1), 2)
CASES: dict[str, tuple[str, bytes, str]] = {
    "a state dict": ("m.pth", archive({"m/data.pkl": PLAIN}), "state dict"),
    "an old state dict": (
        "m.pth", several(1, 2, {}, OrderedDict()),
        "state dict",
    ),
    "a model": ("m.pt", archive({"m/data.pkl": pickle.dumps(Foreign(), 2)}), "objects"),
    "a model, protocol 4": ("m.pt", archive({"m/data.pkl": pickle.dumps(Foreign(), 4)}), "objects"),
    "an old model": (
        "m.ckpt", several(1, 2, {}, Foreign()), "objects"
    ),
    "TorchScript": (
        "m.pt", archive({"m/data.pkl": PLAIN, "m/constants.pkl": PLAIN}), "torchscript"
    ),
    "safetensors": ("m.safetensors", tensors(b'{"__metadata__": {}}'), "safetensors"),
    "no safetensors": ("m.safetensors", tensors(b"[1]"), "unknown"),
    "cut safetensors": ("m.safetensors", tensors(b'{"a": 1}')[:-2], "unknown"),
    "huge safetensors": ("m.safetensors", b"\xff" * 16, "unknown"),
    "HTML": ("m.pth", b"<!DOCTYPE html>", "unknown"),
    "an LFS pointer": ("m.pth", b"version https://git-lfs.github.com/spec/v1\n", "unknown"),
    "a zip of something else": ("m.pth", archive({"a.txt": b"a"}), "unknown"),
    "a cut zip": ("m.pth", archive({"m/data.pkl": PLAIN})[:-9], "unknown"),
    "a cut pickle": ("m.pth", archive({"m/data.pkl": PLAIN[:-4]}), "unknown"),
    "a lone pickle": ("m.pth", b"\x80\x02K\x01.", "unknown"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "data", "form"), CASES.values(), ids=CASES)
def test_a_checkpoint_is_told_by_what_it_holds(
    tmp_path: Path, name: str, data: bytes, form: str
) -> None:
    (tmp_path / name).write_bytes(data)
    found = converting.read(tmp_path / name)
    assert (found.form, found.size) == (form, len(data))
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert (tmp_path / name).read_bytes() == data
    if form == "objects":
        assert found.foreign == (Foreign.__module__,)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize("which", ["zip", "legacy", "model", "script", "training"])
def test_what_pytorch_really_writes(tmp_path: Path, which: str) -> None:
    import torch

    net, path = torch.nn.Linear(3, 2), tmp_path / "m.pth"
    state: Any = net.state_dict()
    if which == "script":
        torch.jit.trace(net, torch.zeros(1, 3)).save(path)
    elif which == "training":
        torch.save({"state_dict": state, "optimizer": {}, "epoch": 3}, path)
    else:
        new = which != "legacy"
        saved = net if which == "model" else state
        torch.save(saved, path, _use_new_zipfile_serialization=new)
    found = converting.read(path)
    forms = {"model": "objects", "script": "torchscript"}
    assert found.form == forms.get(which, "state dict")
    assert set(found.training) == (
        {"state_dict", "optimizer", "epoch"} if which == "training" else set()
    )


@pytest.mark.parametrize(
    ("name", "stamped"),
    [
        ("net.pth", "net-0a1b2c3d.pth"),
        ("net-0a1b2c3d.pth", "net-0a1b2c3d.pth"),
        ("net-ffffffffffff.pth", "net-0a1b2c3d.pth"),
        ("epoch-100.pt", "epoch-100-0a1b2c3d.pt"),
        ("yolo-v5.1.pt", "yolo-v5.1-0a1b2c3d.pt"),
        ("m-1.0.pth", "m_1.0-0a1b2c3d.pth"),
        ("dcgan-c.1.pth", "dcgan_c.1-0a1b2c3d.pth"),
        ("my net (final).CKPT", "my_net_final-0a1b2c3d.ckpt"),
        ("räkna.safetensors", "r_kna-0a1b2c3d.safetensors"),
        (".pth", "model-0a1b2c3d.pth"),
    ],
)
def test_a_name_is_stamped(name: str, stamped: str) -> None:
    assert converting.stamp(name, DIGEST) == stamped


@given(st.text(max_size=40), st.sampled_from(SUFFIXES), st.binary(max_size=8))
def test_the_loader_reads_every_stamp(stem: str, suffix: str, data: bytes) -> None:
    digest = hashlib.sha256(data).hexdigest()
    match = HASH_REGEX.search(converting.stamp(stem + suffix, digest))
    assert match is not None
    # More than eight where those look like a date.
    assert len(match.group(1)) >= 8
    assert digest.startswith(match.group(1))


@pytest.mark.parametrize(
    ("case", "form", "message"),
    [
        ("a model", "weights", "runs code of"),
        ("TorchScript", "weights", "is a TorchScript archive"),
        ("HTML", "weights", "neither written by torch.save"),
        ("a state dict", "torchscript", "is no TorchScript archive"),
    ],
)
def test_what_is_something_else_is_refused(
    tmp_path: Path, case: str, form: str, message: str
) -> None:
    name, data, _ = CASES[case]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UsageError, match=message) as refused:
        converting.require(converting.read(tmp_path / name), form)
    assert refused.value.help


@pytest.mark.parametrize(
    ("name", "made", "message"),
    [
        ("m.bin", b"1", "called no checkpoint"),
        ("m.pth", None, "is not a file"),
        ("m.pth", b"", "is empty"),
    ],
)
def test_what_cannot_be_read_is_refused(
    tmp_path: Path, name: str, made: bytes | None, message: str
) -> None:
    if made is not None:
        (tmp_path / name).write_bytes(made)
    with pytest.raises(UsageError, match=message):
        converting.read(tmp_path / name)


def test_more_than_two_gibibytes_are_refused_for_a_release(tmp_path: Path) -> None:
    place = tmp_path / "m.pth"
    with place.open("wb") as stream:
        stream.truncate(2 << 30)  # takes no room: a hole
    sparse = converting.Trained(place, "state dict", place.stat().st_size, DIGEST, "m.pth")
    with pytest.raises(UsageError, match="less than 2 GiB"):
        converting.require_release(sparse)
