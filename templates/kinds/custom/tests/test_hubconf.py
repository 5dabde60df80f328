"""Do the entrypoints load the way users load them? Run with ``python -m pytest``."""

from pathlib import Path

import pytest
import torch

REPOSITORY = str(Path(__file__).resolve().parents[1])


def load(entrypoint, **arguments):
    """What a user does, with this folder in the place of the release."""
    return torch.hub.load(REPOSITORY, entrypoint, source="local", **arguments)


def test_{{ entrypoint }}_gives_one_row_of_logits_per_image():
    model = load("{{ entrypoint }}")
    assert not model.training
    with torch.no_grad():
        assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_custom_loads_a_checkpoint_with_other_classes(tmp_path):
    state = load("{{ entrypoint }}", pretrained=False).state_dict()
    state["classifier.weight"] = state["classifier.weight"][:3]
    state["classifier.bias"] = state["classifier.bias"][:3]
    torch.save(state, tmp_path / "mine.pth")
    loaded = load("custom", path=str(tmp_path / "mine.pth")).state_dict()
    for name, tensor in state.items():
        assert torch.equal(loaded[name], tensor), name


def test_custom_says_when_a_checkpoint_is_another_network_s(tmp_path):
    torch.save({"other.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match="other.pth"):
        load("custom", path=str(tmp_path / "other.pth"))


def test_custom_without_a_path_is_{{ entrypoint }}():
    one, two = load("{{ entrypoint }}").state_dict(), load("custom").state_dict()
    for name, tensor in one.items():
        assert torch.equal(two[name], tensor), name
