"""Does the entrypoint load the way a user loads it? Run with ``python -m pytest``."""

from pathlib import Path

import torch

REPOSITORY = str(Path(__file__).resolve().parents[1])


def test_{{ entrypoint }}_gives_one_row_of_logits_per_image():
    model = torch.hub.load(REPOSITORY, "{{ entrypoint }}", source="local", classes=7)
    with torch.no_grad():
        logits = model(torch.zeros(2, 3, 32, 32))
    assert logits.shape == (2, 7)


def test_{{ entrypoint }}_loads_the_checkpoint_it_is_given(tmp_path):
    trained = torch.hub.load(REPOSITORY, "{{ entrypoint }}", source="local")
    checkpoint = tmp_path / "checkpoint.pth"
    torch.save(trained.state_dict(), checkpoint)
    loaded = torch.hub.load(REPOSITORY, "{{ entrypoint }}", source="local", weights=str(checkpoint))
    for name, tensor in trained.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name
