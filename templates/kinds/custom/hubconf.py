"""{% filter trim %}{% include "kinds/custom/summary.part.md" %}{% endfilter %}"""

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
        network.load_state_dict(_read(_WEIGHTS))
    return network.eval()


def custom(path=None):
    """The same classifier with a checkpoint of your own, for as many classes as it has.

    Args:
        path (str or None): a file that ``torch.save(model.state_dict(), path)`` wrote; "~" is your
            home. None is the checkpoint that comes with the repository, to try the call.

    Returns:
        torch.nn.Module: takes images, float32 of shape (N, 3, H, W), RGB with values from 0 to 1,
        and gives logits, float32 of shape (N, classes). It is in evaluation mode.

    Raises:
        ValueError: the file holds no weights of this network.

    Example:
        >>> model = torch.hub.load(
        ...     "{{ owner }}/{{ repo }}:{{ tag }}", "custom", path="mine.pth", trust_repo=True
        ... )
    """
    from {{ package }}.network import build

    state = _read(_WEIGHTS if path is None else _Path(path).expanduser())
    # The shapes in the file say what it was trained for: one argument less to get wrong.
    last = state.get("classifier.weight") if isinstance(state, dict) else None
    if last is None:
        raise ValueError(f"{path} is no state_dict of this network: it has no classifier.weight")
    network = build(classes=last.shape[0])
    network.load_state_dict(state)
    return network.eval()


# Not an entrypoint: the underscore hides it from torch.hub.list.
def _read(path):
    # map_location: whoever loads it may have no GPU, wherever it was saved. weights_only: a
    # checkpoint is data and may not run code, and users get theirs from anywhere.
    return torch.load(path, map_location="cpu", weights_only=True)
