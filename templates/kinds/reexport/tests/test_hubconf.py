"""Do the entrypoints load the way users load them? Run with ``python -m pytest``."""

from pathlib import Path

import torch

REPOSITORY = str(Path(__file__).resolve().parents[1])


def load(entrypoint, **arguments):
    """What a user does, with this folder in the place of the release."""
    return torch.hub.load(REPOSITORY, entrypoint, source="local", **arguments)


def test_{{ entrypoint }}_has_the_same_weights_each_time():
    model = load("{{ entrypoint }}")
    assert not model.training
    with torch.no_grad():
        assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
    again = load("{{ entrypoint }}").state_dict()
    for name, tensor in model.state_dict().items():
        assert torch.equal(again[name], tensor), name


def test_{{ entrypoint }}_untrained_is_as_wide_as_it_is_asked_to_be():
    model = load("{{ entrypoint }}_untrained", width=2, classes=3)
    assert model.training
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 3)
