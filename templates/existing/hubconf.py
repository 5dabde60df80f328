"""Networks for PyTorch, loaded through ``torch.hub``."""

# torch.hub.list shows every public callable of this file, imported ones included, and ignores
# __all__. So this file defines its entrypoints and nothing else that is callable and public; any
# other name starts with an underscore.

{% if tree %}
import os as _os
{% endif %}
{% if sources %}
import sys as _sys
{% if not tree %}
import os as _os
{% endif %}
{% endif %}
{% if tree or sources %}

{% endif %}
import torch

# Import names, not PyPI names. torch.hub checks that they are there, and installs nothing.
dependencies = [{% for name in dependencies %}"{{ name }}"{{ ", " if not loop.last }}{% endfor %}]
{% if sources %}
_SOURCE = _os.path.join(_os.path.dirname(__file__), "src")
{% endif %}
{% for entry in entries %}


def {{ entry.name }}({{ entry.signature }}):
    """{{ entry.title }}

{% if entry.about %}
    {{ entry.about }}

{% endif %}
{% if entry.documented %}
    Args:
{% for line in entry.documented %}
        {{ line }}
{% endfor %}

{% endif %}
    Returns:
{% for line in entry.gives %}
        {{ line }}
{% endfor %}

    Example:
        >>> model = {{ entry.load }}
    """
{% if entry.weights == "torchscript" %}
    # Not torch.load, whose weights_only=True refuses a program; map_location: whoever loads it may
    # have no GPU, wherever it was saved; from __file__: torch.hub leaves the working directory.
    place = _os.path.join(_os.path.dirname(__file__), {{ entry.place }})
    return torch.jit.load(place, map_location="cpu")
{% else %}
    # Not at the top of the file: torch.hub runs the file before it looks at `dependencies`, so a
    # package that fails to import up there would hide the "Missing dependencies" message.
{% if entry.sources %}
    # torch.hub has the root of the repository on sys.path, and src only while this runs.
    _sys.path.insert(0, _SOURCE)
    try:
        from {{ entry.module }} import {{ entry.cls }} as _{{ entry.cls }}
    finally:
        _sys.path.remove(_SOURCE)
{% else %}
    from {{ entry.module }} import {{ entry.cls }} as _{{ entry.cls }}
{% endif %}

    model = _{{ entry.cls }}({{ entry.call }})
{% if entry.weights == "none" %}
    if {{ entry.switch }} is not None:
        # weights_only: a checkpoint is data and may not run code. map_location: whoever loads it
        # may have no GPU, wherever it was saved.
        state = torch.load({{ entry.switch }}, map_location="cpu", weights_only=True)
        model.load_state_dict(state)
{% elif entry.weights == "tree" %}
    if {{ entry.switch }}:
        # From __file__: torch.hub leaves the working directory where its user is.
        place = _os.path.join(_os.path.dirname(__file__), {{ entry.place }})
{% if entry.safetensors %}
        from safetensors.torch import load_file as _load_file

        model.load_state_dict(_load_file(place))
{% else %}
        # weights_only: a checkpoint is data and may not run code. map_location: whoever loads it
        # may have no GPU, wherever it was saved.
        model.load_state_dict(torch.load(place, map_location="cpu", weights_only=True))
{% endif %}
{% else %}
    if {{ entry.switch }}:
        state = torch.hub.load_state_dict_from_url(
            "{{ entry.url }}",
            map_location="cpu",
            check_hash=True,  # compares the file with the digits in its name
            weights_only=True,  # a checkpoint is data and may not run code
        )
        model.load_state_dict(state)
{% endif %}
    return model.eval()
{% endif %}
{% endfor %}
