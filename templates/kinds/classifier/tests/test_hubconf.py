"""Do the entrypoints load the way users load them? Run with ``python -m pytest``."""

from pathlib import Path

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


def test_{{ entrypoint }}_has_the_same_weights_each_time():
    one, two = (load("{{ entrypoint }}", pretrained=True).state_dict() for _ in range(2))
    for name, tensor in one.items():
        assert torch.equal(two[name], tensor), name
