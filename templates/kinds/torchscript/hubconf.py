"""{% filter trim %}{% include "kinds/torchscript/summary.part.md" %}{% endfilter %}"""

# torch.hub.list shows every public callable of this file, imported ones included, and ignores
# __all__. So this file defines its entrypoints and nothing else that is callable and public; any
# other name starts with an underscore.

from pathlib import Path as _Path

import torch

# Import names, not PyPI names. torch.hub checks that they are there, and installs nothing.
{% include "shared/dependencies.part.py" %}

# From this file on: what the loader's folder is called, and where it is started, nobody knows.
# The digits at the end of the name are the first of the SHA-256 of the file's content.
_ARCHIVE = _Path(__file__).parent / "weights" / "{{ entrypoint }}-67ced284.pt"


def {{ entrypoint }}():
    """A small convolutional classifier of images, for 10 classes, as TorchScript.

    Returns:
        torch.jit.ScriptModule: takes images, float32 of shape (N, 3, H, W), RGB with values from 0
        to 1, and gives logits, float32 of shape (N, 10). It is on the CPU, in evaluation mode as
        it was when it was saved.

    Example:
        >>> model = torch.hub.load("{{ owner }}/{{ repo }}:{{ tag }}", "{{ entrypoint }}", trust_repo=True)
        >>> model(torch.rand(1, 3, 32, 32)).softmax(dim=1).shape  # one probability a class
        torch.Size([1, 10])
    """
    # Not torch.load, whose weights_only=True refuses such an archive: there is code in it beside the
    # weights. It is no pickled Python, but a program all the same, in TorchScript's own language.
    # map_location: it was saved on some device, which whoever loads it may not have.
    return torch.jit.load(str(_ARCHIVE), map_location="cpu")
