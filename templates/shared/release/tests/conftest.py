"""Each test gets an empty torch.hub directory, and in it what was not uploaded yet."""

import shutil
from pathlib import Path

import pytest

RELEASE = Path(__file__).resolve().parents[1] / "release"


@pytest.fixture(autouse=True)
def hub(tmp_path, monkeypatch):
    """torch.hub looks here first, and downloads only what is missing.

    So the tests pass before the checkpoints are uploaded; in a fresh clone, which has no release/,
    they download as every user does.
    """
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    checkpoints = tmp_path / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True)
    for checkpoint in RELEASE.glob("*.pth"):
        shutil.copy(checkpoint, checkpoints)
