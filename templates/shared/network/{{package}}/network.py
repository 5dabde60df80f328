"""The network. Replace it with yours.

This one is made of torch.nn's own classes, so that it can be sent to other processes: those that
`spawn` starts find no class of a repository that torch.hub loaded, because the loader takes the
repository off sys.path again. In every other way a subclass of torch.nn.Module is as good.
"""

from collections import OrderedDict

from torch import nn


def build(width=8, classes=10):
    """Two convolutions, the mean over what is left of the image, and a linear layer.

    Args:
        width (int): channels after the first convolution; twice as many after the second.
        classes (int): how many classes the last layer tells apart.

    Returns:
        torch.nn.Module: takes images (N, 3, H, W) and gives logits (N, classes).
    """
    features = nn.Sequential(
        nn.Conv2d(3, width, kernel_size=3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(width, 2 * width, kernel_size=3, stride=2, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    # The names are those of the checkpoint's entries: "features.0.weight", "classifier.bias".
    layers = OrderedDict(features=features, classifier=nn.Linear(2 * width, classes))
    return nn.Sequential(layers)
