"""The functions that make models: hubconf.py offers them through torch.hub, under the same names.

Whoever installs the package calls them directly. Only torch and this package may be imported up
here, see hubconf.py.
"""

import torch

from {{ package }} import network as _network

# The checkpoint is attached to a release of its own, so that it is there before the code that names
# it. The digits at the end of its name begin the SHA-256 of its content: check_hash compares them.
_WEIGHTS = "https://github.com/{{ owner }}/{{ repo }}/releases/download/weights/{{ entrypoint }}-189fd9da.pth"


def {{ entrypoint }}(pretrained=True, progress=True):
    """A small convolutional classifier of images, for 10 classes.

    Args:
        pretrained (bool): download the published weights. Otherwise they are random.
        progress (bool): show how far the download is, on stderr.

    Returns:
        torch.nn.Module: takes images, float32 of shape (N, 3, H, W), RGB with values from 0 to 1,
        and gives logits, float32 of shape (N, 10). It is in evaluation mode.

    Example:
        >>> model = torch.hub.load("{{ owner }}/{{ repo }}:{{ tag }}", "{{ entrypoint }}", trust_repo=True)
        >>> model(torch.rand(1, 3, 32, 32)).softmax(dim=1).shape  # one probability a class
        torch.Size([1, 10])
    """
    network = _network.build()
    if pretrained:
        state = torch.hub.load_state_dict_from_url(
            _WEIGHTS,
            map_location="cpu",  # whoever loads it may have no GPU, wherever it was saved
            progress=progress,
            check_hash=True,  # or what came in place of the file would be kept and used for ever
            weights_only=True,  # a checkpoint is data and may not run code
        )
        network.load_state_dict(state)
    return network.eval()


def {{ entrypoint }}_untrained(width=8, classes=10):
    """The same architecture with random weights, to be trained on other images.

    Args:
        width (int): channels after the first convolution; twice as many after the second.
        classes (int): how many classes the last layer tells apart.

    Returns:
        torch.nn.Module: takes images, float32 of shape (N, 3, H, W), RGB with values from 0 to 1,
        and gives logits, float32 of shape (N, classes). It is in training mode.

    Example:
        >>> model = torch.hub.load(
        ...     "{{ owner }}/{{ repo }}:{{ tag }}", "{{ entrypoint }}_untrained", classes=3, trust_repo=True
        ... )
        >>> model(torch.rand(1, 3, 32, 32)).shape
        torch.Size([1, 3])
    """
    return _network.build(width=width, classes=classes)
