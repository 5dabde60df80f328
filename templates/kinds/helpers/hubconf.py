"""{% filter trim %}{% include "kinds/helpers/summary.part.md" %}{% endfilter %}"""

# torch.hub.list shows every public callable of this file, imported ones included, and ignores
# __all__. So this file defines its entrypoints and nothing else that is callable and public; any
# other name starts with an underscore.

import torch

# Import names, not PyPI names. torch.hub checks that they are there, and installs nothing.
{% include "shared/dependencies.part.py" %}

# The checkpoint is attached to a release of its own, so that it is there before the code that names
# it. The digits at the end of its name begin the SHA-256 of its content: check_hash compares them.
_WEIGHTS = "https://github.com/{{ owner }}/{{ repo }}/releases/download/weights/{{ entrypoint }}-35779b5e.pth"


def {{ entrypoint }}(pretrained=False, progress=True):
    """A small classifier of texts, for 2 classes.

    Args:
        pretrained (bool): download the published weights. Otherwise they are random.
        progress (bool): show how far the download is, on stderr.

    Returns:
        torch.nn.Module: takes what {{ entrypoint }}_tokenizer gives, int64 of shape (N, length),
        and gives logits, float32 of shape (N, 2). It is in evaluation mode.

    Example:
        >>> release = "{{ owner }}/{{ repo }}:{{ tag }}"
        >>> tokenizer = torch.hub.load(release, "{{ entrypoint }}_tokenizer", trust_repo=True)
        >>> model = torch.hub.load(release, "{{ entrypoint }}", pretrained=True, trust_repo=True)
        >>> model(tokenizer(["good", "bad"])).softmax(dim=1).shape  # one probability a class
        torch.Size([2, 2])
    """
    # Not at the top of the file: torch.hub runs the file before it looks at `dependencies`, so a
    # package that fails to import up there would hide the "Missing dependencies" message.
    from {{ package }}.network import build
    from {{ package }}.tokenizer import Tokenizer

    network = build(Tokenizer.vocabulary, Tokenizer.padding)
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


def {{ entrypoint }}_tokenizer():
    """Turns texts into the numbers that {{ entrypoint }} takes, and back.

    Returns:
        {{ package }}.tokenizer.Tokenizer: called with N texts it gives numbers, int64 of shape
        (N, length), the shorter ones filled up; ``decode(numbers)`` gives the N texts.

    Example:
        >>> tokenizer = torch.hub.load(
        ...     "{{ owner }}/{{ repo }}:{{ tag }}", "{{ entrypoint }}_tokenizer", trust_repo=True
        ... )
        >>> tokenizer.decode(tokenizer(["one text", "and another"]))
        ['one text', 'and another']
    """
    # No model: torch.hub.load hands over whatever an entrypoint returns.
    from {{ package }}.tokenizer import Tokenizer

    return Tokenizer()
