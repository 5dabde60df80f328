"""``hubpub init --from-…``: what was trained becomes a repository that the real loader loads."""

from __future__ import annotations

import hashlib
import json
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import RunHubpub
from publishing import Mirror, Repository, clean_environment, write_files

NET = """from torch import nn


class SkyNet(nn.Linear):
    \"\"\"Tell clouds from sky.\"\"\"

    def __init__(self, width: int = 2):
        super().__init__(width, 2)
"""
FAKE_TIMM = """
import torch

def create_model(name, pretrained, num_classes, in_chans):
    assert (name, pretrained) == ("resnet18.a1_in1k", False)
    return torch.nn.Linear(in_chans, num_classes)
"""
LOAD = """
import sys, torch
model = torch.hub.load(sys.argv[1], sys.argv[2], source="local")
print(model(torch.zeros(1, 2)).flatten().tolist())
"""
Save = Callable[[Path], None]


def save_weights(path: Path) -> None:
    import torch

    torch.save({"weight": torch.zeros(2, 2), "bias": torch.tensor([1.0, 2.0])}, path)


def save_script(path: Path) -> None:
    import torch

    net: Any = torch.nn.Linear(2, 2)
    net.load_state_dict({"weight": torch.zeros(2, 2), "bias": torch.tensor([1.0, 2.0])})
    torch.jit.save(torch.jit.script(net), path)


def load(folder: Path, name: str, home: Path, path: Path | None = None) -> str:
    clean = clean_environment(home) | ({"PYTHONPATH": str(path)} if path else {})
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(folder), name],
        cwd=home,
        env=clean,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def findings(hubpub: RunHubpub, folder: Path) -> list[str]:
    done = hubpub("check", "--output-format", "json", "--exit-zero", folder)
    return [item["code"] for item in json.loads(done.stdout)["diagnostics"]]


CASES: dict[str, tuple[Save, str, str, tuple[str, ...], str]] = {
    "weights": (save_weights, "last-v1.0.pth", "last-v1.0-", ("--from-checkpoint",), "skynet"),
    "TorchScript": (save_script, "Sky Net.pt", "Sky_Net-", ("--from-torchscript",), "sky_net"),
    "timm": (
        save_weights, "last.pth", "last-",
        ("--from-timm", "resnet18.a1_in1k", "--value", "num_classes=2", "--value", "in_chans=2",
         "--from-checkpoint"),
        "resnet18",
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize(("save", "name", "stem", "options", "entry"), CASES.values(), ids=CASES)
def test_what_was_trained_is_loaded_by_the_real_loader(
    hubpub: RunHubpub,
    tmp_path: Path,
    home: Path,
    save: Save,
    name: str,
    stem: str,
    options: tuple[str, ...],
    entry: str,
) -> None:
    folder, trained = tmp_path / "skynet", tmp_path / name
    save(trained)
    before = trained.read_bytes()
    write_files(folder, {"clouds.py": NET} if entry == "skynet" else {})
    write_files(tmp_path / "packages", {"timm/__init__.py": FAKE_TIMM})
    done = hubpub("init", folder, "--owner", "octo", *options, trained)
    assert done.returncode == 0, done.stderr
    digits = hashlib.sha256(before).hexdigest()[:8]
    (copy,) = (folder / "weights").iterdir()
    assert copy.name == f"{stem}{digits}{trained.suffix}"
    assert copy.read_bytes() == before == trained.read_bytes()
    assert findings(hubpub, folder) == []
    assert load(folder, entry, home, tmp_path / "packages") == "[1.0, 2.0]\n"


def test_safetensors_lie_beside_their_network(hubpub: RunHubpub, tmp_path: Path) -> None:
    header = b'{"__metadata__": {}}'
    write_files(tmp_path / "m", {"clouds.py": NET})
    trained = tmp_path / "sky.safetensors"
    trained.write_bytes(struct.pack("<Q", len(header)) + header)
    done = hubpub("init", tmp_path / "m", "--owner", "octo", "--from-checkpoint", trained)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "m/hubconf.py").read_text()
    assert 'dependencies = ["torch", "safetensors"]' in text
    assert "from safetensors.torch import load_file as _load_file" in text
    assert findings(hubpub, tmp_path / "m") == []


def test_a_release_is_named_and_nothing_copied(hubpub: RunHubpub, tmp_path: Path) -> None:
    folder, trained = tmp_path / "skynet", tmp_path / "last.pth"
    save_weights(trained)
    write_files(folder, {"clouds.py": NET})
    done = hubpub(
        "init", folder, "--owner", "octo", "--from-checkpoint", trained, "--weights", "release"
    )
    assert done.returncode == 0, done.stderr
    name = f"last-{hashlib.sha256(trained.read_bytes()).hexdigest()[:8]}.pth"
    url = f"https://github.com/octo/skynet/releases/download/weights/{name}"
    assert f'"{url}"' in (folder / "hubconf.py").read_text()
    assert f"gh release create weights {name}" in done.stderr
    assert url in done.stderr
    assert not list(folder.rglob("*.pth"))
    assert findings(hubpub, folder) == []


@pytest.mark.parametrize(
    ("options", "place"),
    [((), "skynet/weights/"), (("--weights", "release"), "release/"),
     (("--kind", "custom"), "skynet/weights/")],
)  # fmt: skip
def test_without_a_network_a_sample_stands_in_for_it(
    hubpub: RunHubpub, tmp_path: Path, options: tuple[str, ...], place: str
) -> None:
    folder, trained = tmp_path / "skynet", tmp_path / "last.pth"
    save_weights(trained)
    done = hubpub("init", folder, "--owner", "octo", "--from-checkpoint", trained, *options)
    assert done.returncode == 0, done.stderr
    assert "skynet/network.py holds a network that the weights are not of" in done.stderr
    (copy,) = folder.rglob("*.pth")
    assert copy.relative_to(folder).as_posix().startswith(f"{place}last-")
    assert copy.name in (folder / "hubconf.py").read_text()
    assert findings(hubpub, folder) == []


@pytest.mark.parametrize(
    ("data", "name", "options", "message"),
    [
        (b"<html>", "m.pth", ("--from-checkpoint",), "neither written by torch.save"),
        (b"", "m.pth", ("--from-checkpoint",), "is empty"),
        (b"1", "m.bin", ("--from-checkpoint",), "is called no checkpoint"),
        (None, "m.pth", ("--from-checkpoint",), "is not a file"),
        (b"PK", "m.pt", ("--from-torchscript",), "is no TorchScript archive"),
        (b"PK", "m.pt", ("--kind", "family", "--from-torchscript"), "contradict each other"),
        (b"PK", "m.pt", ("--from-timm", "resnet18", "--from-torchscript"), "contradict each other"),
    ],
)  # fmt: skip
def test_what_cannot_be_published_is_refused(
    hubpub: RunHubpub,
    tmp_path: Path,
    data: bytes | None,
    name: str,
    options: tuple[str, ...],
    message: str,
) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    done = hubpub("init", tmp_path / "skynet", *options, tmp_path / name)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert not (tmp_path / "skynet").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--weights", "tree"), "larger than the 100 MiB that GitHub takes"),
        (("--weights", "release"), "files of less than 2 GiB"),
        ((), "files of less than 2 GiB"),
    ],
)
def test_what_is_too_large_is_refused(
    hubpub: RunHubpub, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    header = b'{"__metadata__": {}}'
    trained = tmp_path / "sky.safetensors"
    with trained.open("wb") as stream:
        stream.write(struct.pack("<Q", len(header)) + header)
        stream.truncate(2 << 30)  # takes no room: a hole
    done = hubpub("init", tmp_path / "skynet", "--from-checkpoint", trained, *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "skynet").exists()


@pytest.mark.proof
def test_a_network_with_its_weights_passes_verify(
    hubpub: RunHubpub, mirror: Mirror, tmp_path: Path
) -> None:
    folder, trained = mirror.root / "octo" / "skynet", tmp_path / "last.pth"
    save_weights(trained)
    write_files(folder, {"clouds.py": NET})
    assert hubpub("init", folder, "--owner", "octo", "--from-checkpoint", trained).returncode == 0
    published = Repository(folder, mirror.home)
    published.git("init", "--quiet", "--initial-branch=main")
    published.commit({}, "First")
    published.git("tag", "v1.0")
    report = tmp_path / "report.json"
    done = hubpub(
        "verify", "octo/skynet:v1.0", "--device", "cpu", "--output-format", f"json:{report}"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    verified = json.loads(report.read_text())
    assert verified["status"] == "pass"
    assert [entry["name"] for entry in verified["entrypoints"]] == ["skynet"]
