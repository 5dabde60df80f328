"""Do the entrypoints load the way a user loads them? Run with ``python -m pytest``."""

from pathlib import Path

import torch

REPOSITORY = str(Path(__file__).resolve().parents[1])
{% for entry in entries if entry.callable %}


def test_{{ entry.name }}_loads():
    model = torch.hub.load(REPOSITORY, "{{ entry.name }}", source="local"{{ entry.given }})
    assert isinstance(model, torch.nn.Module)
{% if entry.weights != "torchscript" %}
    assert not model.training
{% endif %}
{% endfor %}
