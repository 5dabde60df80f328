"""Do the entrypoints load the way users load them? Run with ``python -m pytest``."""

from pathlib import Path

import pytest
import torch

REPOSITORY = str(Path(__file__).resolve().parents[1])
SIZES = {"{{ entrypoint }}_small": 500, "{{ entrypoint }}_base": 1_600, "{{ entrypoint }}_large": 5_400}


def load(entrypoint, **arguments):
    """What a user does, with this folder in the place of the release."""
    return torch.hub.load(REPOSITORY, entrypoint, source="local", **arguments)


@pytest.mark.parametrize("entrypoint", SIZES)
def test_each_size_gives_one_row_of_logits_per_image(entrypoint):
    model = load(entrypoint)
    assert not model.training
    with torch.no_grad():
        assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


@pytest.mark.parametrize("entrypoint", SIZES)
def test_each_size_has_its_own_weights(entrypoint):
    model = load(entrypoint, pretrained=True)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    assert parameters == pytest.approx(SIZES[entrypoint], rel=0.05)
    again = load(entrypoint, pretrained=True).state_dict()
    for name, tensor in model.state_dict().items():
        assert torch.equal(again[name], tensor), name
