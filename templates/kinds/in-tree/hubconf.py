"""{% filter trim %}{% include "kinds/in-tree/summary.part.md" %}{% endfilter %}"""

# torch.hub.list shows every public callable of this file, imported ones included, and ignores
# __all__. So this file defines its entrypoints and nothing else that is callable and public; any
# other name starts with an underscore.

from pathlib import Path as _Path

import torch

# Import names, not PyPI names. torch.hub checks that they are there, and installs nothing.
{% include "shared/dependencies.part.py" %}

# From this file on: what the loader's folder is called, and where it is started, nobody knows.
# The digits at the end of the name are the first of the SHA-256 of the file's content.
_WEIGHTS = _Path(__file__).parent / "{{ package }}" / "weights" / "{{ entrypoint }}-189fd9da.pth"


def {{ entrypoint }}(pretrained=True):
    """A small convolutional classifier of images, for 10 classes.

    Args:
        pretrained (bool): use the weights that come with the repository. Otherwise they are random.

    Returns:
        torch.nn.Module: takes images, float32 of shape (N, 3, H, W), RGB with values from 0 to 1,
        and gives logits, float32 of shape (N, 10). It is in evaluation mode.

    Example:
        >>> model = torch.hub.load("{{ owner }}/{{ repo }}:{{ tag }}", "{{ entrypoint }}", trust_repo=True)
        >>> model(torch.rand(1, 3, 32, 32)).softmax(dim=1).shape  # one probability a class
        torch.Size([1, 10])
    """
    # Not at the top of the file: torch.hub runs the file before it looks at `dependencies`, so a
    # package that fails to import up there would hide the "Missing dependencies" message.
    from {{ package }}.network import build

    network = build()
    if pretrained:
        # map_location: whoever loads it may have no GPU, wherever it was saved. weights_only: a
        # checkpoint is data and may not run code.
        network.load_state_dict(torch.load(_WEIGHTS, map_location="cpu", weights_only=True))
    return network.eval()
