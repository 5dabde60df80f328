"""Do the entrypoints load the way users load them? Run with ``python -m pytest``."""

from pathlib import Path

import pytest
import torch

REPOSITORY = str(Path(__file__).resolve().parents[1])

# torch advises torch.export for new work; archives load as before.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")


def load(entrypoint, **arguments):
    """What a user does, with this folder in the place of the release."""
    return torch.hub.load(REPOSITORY, entrypoint, source="local", **arguments)


def test_{{ entrypoint }}_gives_one_row_of_logits_per_image():
    model = load("{{ entrypoint }}")
    assert not model.training
    with torch.no_grad():
        assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_{{ entrypoint }}_is_on_the_cpu():
    assert {tensor.device.type for tensor in load("{{ entrypoint }}").state_dict().values()} == {"cpu"}
