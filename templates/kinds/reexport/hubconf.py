"""{% filter trim %}{% include "kinds/reexport/summary.part.md" %}{% endfilter %}"""

# torch.hub.list shows every public callable of this file, imported ones included, and ignores
# __all__. So importing a function under a public name is all that makes it an entrypoint, and what
# torch.hub.help shows is its docstring in the package.
#
# torch.hub runs this file before it looks at `dependencies`. So what the package needs beside torch
# is imported inside its functions; up there it would hide the "Missing dependencies" message.
from {{ package }}.models import {{ entrypoint }}, {{ entrypoint }}_untrained  # noqa: F401

# Import names, not PyPI names. torch.hub checks that they are there, and installs nothing.
{% include "shared/dependencies.part.py" %}
