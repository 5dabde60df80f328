"""What ``torch.hub.load`` offers from this repository.

``torch.hub.list`` shows every public callable of this file, imported ones included, and ignores
``__all__``. So this file defines its entrypoints and nothing else that is callable and public; any
other name starts with an underscore.
"""

import torch

# Import names, not PyPI names. torch.hub checks that they are there, and installs nothing.
dependencies = ["torch"]


def {{ entrypoint }}(classes=10, weights=None):
    """A small convolutional image classifier, in evaluation mode.

    Args:
        classes (int): how many classes the last layer tells apart.
        weights (str or None): path of a checkpoint to load, as written by
            ``torch.save(model.state_dict(), path)``. None keeps the random initialisation.

    Returns:
        torch.nn.Module: takes images, float32 of shape (N, 3, H, W) with values from 0 to 1, and
        gives logits, float32 of shape (N, classes).

    Example:
        >>> model = torch.hub.load("{{ owner }}/{{ repo }}:v1.0", "{{ entrypoint }}", trust_repo=True)
        >>> model(torch.zeros(1, 3, 32, 32)).shape
        torch.Size([1, 10])
    """
    # Not at the top of the file: torch.hub runs the file before it looks at `dependencies`, so a
    # package that fails to import up there would hide the "Missing dependencies" message.
    from {{ package }}.network import Network

    model = Network(classes)
    if weights is not None:
        # weights_only: a checkpoint is data and may not run code. map_location: whoever loads it
        # may have no GPU, wherever it was saved.
        model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return model.eval()
