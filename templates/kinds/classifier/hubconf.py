"""{% filter trim %}{% include "kinds/classifier/summary.part.md" %}{% endfilter %}"""

# torch.hub.list shows every public callable of this file, imported ones included, and ignores
# __all__. So this file defines its entrypoints and nothing else that is callable and public; any
# other name starts with an underscore.

import torch

# Import names, not PyPI names. torch.hub checks that they are there, and installs nothing.
{% include "shared/dependencies.part.py" %}

# The checkpoint is attached to a release of its own, so that it is there before the code that names
# it. The digits at the end of its name begin the SHA-256 of its content: check_hash compares them.
_WEIGHTS = "https://github.com/{{ owner }}/{{ repo }}/releases/download/weights/{{ entrypoint }}-189fd9da.pth"


def {{ entrypoint }}(pretrained=False, progress=True):
    """A small convolutional classifier of images, for 10 classes.

    Args:
        pretrained (bool): download the published weights. Otherwise they are random.
        progress (bool): show how far the download is, on stderr.

    Returns:
        torch.nn.Module: takes images, float32 of shape (N, 3, H, W), RGB with values from 0 to 1,
        and gives logits, float32 of shape (N, 10). It is in evaluation mode.

    Example:
        >>> model = torch.hub.load(
        ...     "{{ owner }}/{{ repo }}:{{ tag }}", "{{ entrypoint }}", pretrained=True, trust_repo=True
        ... )
        >>> model(torch.rand(1, 3, 32, 32)).softmax(dim=1).shape  # one probability a class
        torch.Size([1, 10])
    """
    # Not at the top of the file: torch.hub runs the file before it looks at `dependencies`, so a
    # package that fails to import up there would hide the "Missing dependencies" message.
    from {{ package }}.network import build

    network = build()
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
