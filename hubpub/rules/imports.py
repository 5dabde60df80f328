"""HUB105, HUB106, HUB109: what is imported, as against what ``dependencies`` declares."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from hubpub.diagnostic import Note, Severity
from hubpub.rules import Finding, rule
from hubpub.rules.listed import add, remove
from hubpub.rules.needed import ACCEPTED, bare, brought_by, declared, everywhere, third_party
from hubpub.source.facts import Import, Repo
from hubpub.source.packages import COMPANIONS, distribution_of, module_of, normal


@rule("HUB105", "undeclared-dependency", Severity.WARNING)
def undeclared_dependency(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for packages of third parties that importing hubconf.py or calling an entrypoint imports,
    and that `dependencies` does not name. It is an error where hubconf.py cannot be imported
    without the package, and neither torch nor a package in the list brings it along. torch itself,
    imports with a fallback and those below `TYPE_CHECKING` do not count.

    ## Why is this bad?

    Users who lack the package get a traceback from inside the repository instead of the list of
    what to install.

    ## Example

    ```python
    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        import numpy

        return numpy.zeros(3)
    ```

    ## Use instead

    ```python
    dependencies = ["torch", "numpy"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        import numpy

        return numpy.zeros(3)
    ```

    ## Fix safety

    The name is added to the list where the import happens in any case. Where only some entrypoints
    import it, declaring it keeps the others from loading without it, so that the fix is unsafe;
    where only some calls of an entrypoint do, it is left to you.
    """
    if repo.hubconf is None:
        return
    found = repo.hubconf.dependencies
    if not found.complete or found.kind not in ACCEPTED:
        return
    known_names = declared(repo)
    for name, item in sorted(third_party(repo).items()):
        if name in known_names:
            continue
        other = brought_by(name, known_names)
        certain = item.when == "import" and other is None
        distribution, known = distribution_of(name)
        differs = normal(distribution) != normal(name) and known != "guess"
        install = f" (pip install {distribution})" if differs else ""
        yield Finding(
            f"{name} is imported {_when(item)} and is not in dependencies"
            + (f": it comes only with {other}" if other else ""),
            item.place,
            Severity.ERROR if certain else None,
            f'add "{name}"{install} to dependencies',
            _chain(item),
            None if item.conditional else add(repo, name, safe=everywhere(repo, item)),
        )


def _when(item: Import) -> str:
    if item.when == "import":
        return "when hubconf.py is imported"
    shown = ", ".join(item.entrypoints[:3]) + (" ..." if len(item.entrypoints) > 3 else "")
    return f"by {'some calls of ' if item.conditional else ''}{shown}"


def _chain(item: Import) -> tuple[Note, ...]:
    return tuple(Note(step.path, step.span, "imported here") for step in item.chain)


@rule("HUB106", "unused-dependency", Severity.NOTE)
def unused_dependency(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for packages in `dependencies` that nothing mentions in hubconf.py and the modules that
    it reaches. torch does not count, and neither do packages that others load by themselves (scipy
    for torchvision, sentencepiece for transformers). Where something could not be read, nothing is
    said.

    ## Why is this bad?

    Users have to install a package that nothing uses before they can load a model.

    ## Example

    ```python
    import torch

    dependencies = ["torch", "yaml"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Linear(2, 1)
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Linear(2, 1)
    ```

    ## Fix safety

    The item is removed: whoever could load before still can. Keep it, with
    `# hubpub: ignore[HUB106]` and the reason, where another package needs it without importing it
    in a way that can be read.
    """
    if repo.hubconf is None or not _all_read(repo):
        return
    code = _mentions(repo)
    words = {word for text in code or () for word in re.findall(r"\w+", text)}
    found = repo.hubconf.dependencies
    reached = {item.package for item in repo.imports} | {"torch"}
    for item in found.items if found.kind in ACCEPTED and code is not None else ():
        top = (item.name or "").partition(".")[0]
        if not re.fullmatch(r"[^\W\d]\w*", top) or bare(item.name or "") != item.name:
            continue
        listed = top in sys.stdlib_module_names or repo.published.is_module(top)
        indirect = COMPANIONS.get(top, frozenset()) & reached
        if top in reached or listed or indirect or module_of(item.name or "") is not None:
            continue
        if top not in words:
            yield Finding(
                f"{item.name} is in dependencies, and nothing here uses it",
                item.place,
                help="remove it, unless another package needs it",
                fix=remove(repo, item),
            )


def _all_read(repo: Repo) -> bool:
    """Whether all that importing hubconf.py and calling entrypoints reaches was read."""
    unknown = repo.dynamic or repo.unfollowed or repo.problems or repo.failures
    missing = any(item.origin == "missing" and not item.guarded for item in repo.imports)
    return not unknown and not missing and not repo.hooked


_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import\b|import[ \t]+([\w.]+))(.*)", re.MULTILINE
)
_UNREADABLE = re.compile(r"(?<![.\w])(?:exec|eval|__import__)\s*\(|\bimport_module\s*\(")


def _mentions(repo: Repo) -> list[str] | None:
    """The code of hubconf.py and of what it reaches; None where some of it reaches further."""
    seen = {(item.place.path, item.place.span.line) for item in repo.imports}
    found = []
    for path, text in repo.texts.items():
        if not path.endswith(".py"):
            continue
        code = _without_items(repo) if path == "hubconf.py" else text.text
        if _UNREADABLE.search(code):
            return None
        for match in _IMPORT.finditer(code):
            line = text.position(match.start(0))[0]
            unseen = (path, line) not in seen
            if _brings_anything(match) or (unseen and _leads_on(repo, match)):
                return None
        found.append(code)
    return found


def _brings_anything(match: re.Match[str]) -> bool:
    """Whether an import statement is a star import of a package outside, torch aside."""
    source = match.group(1) or "."
    return "*" in match.group(3) and source[0] != "." and source.partition(".")[0] != "torch"


def _leads_on(repo: Repo, match: re.Match[str]) -> bool:
    """Whether an import statement leads to a module of the repository."""
    modules = [match.group(1) or match.group(2)]
    if match.group(2):
        modules += [part.split("#")[0].strip() for part in match.group(3).split(",")[1:]]
    tops = [name.partition(".")[0].partition(" ")[0] for name in modules]
    return any(not top or top in repo.modules or repo.published.is_module(top) for top in tops)


def _without_items(repo: Repo) -> str:
    """hubconf.py with blanks for the items of ``dependencies``, all else in its place."""
    text = repo.texts["hubconf.py"]
    kept = text.text
    for item in repo.hubconf.dependencies.items if repo.hubconf else ():
        span = item.place.span
        begin = text.offset(span.line, span.column)
        end = text.offset(span.end_line, span.end_column)
        if item.place.path == "hubconf.py":
            kept = kept[:begin] + " " * (end - begin) + kept[end:]
    return kept


@rule("HUB109", "import-before-check", Severity.WARNING)
def import_before_check(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for packages in `dependencies` that are imported as soon as hubconf.py is.

    ## Why is this bad?

    `torch.hub` imports hubconf.py first and looks through `dependencies` then. Users who lack the
    package get a `ModuleNotFoundError` for the first of them, and never the list of what to
    install; `torch.hub.list` and `help` fail too, also for the entrypoints that do not need it.

    ## Example

    ```python
    import numpy as _np
    import torch

    dependencies = ["torch", "numpy"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Linear(2, int(_np.float32(1)))
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch", "numpy"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        import numpy as np

        return torch.nn.Linear(2, int(np.float32(1)))
    ```

    ## References

    - `torch.hub._load_local`: the module is imported before `_check_dependencies` is called
    """
    if repo.hubconf is None or repo.hubconf.dependencies.kind not in ACCEPTED:
        return
    names = {name.partition(".")[0] for name in repo.hubconf.dependencies.names}
    for name, item in sorted(third_party(repo).items()):
        if name in names and item.when == "import":
            yield Finding(
                f"{name} is imported before torch.hub looks through dependencies",
                item.place,
                help=f"import {name} inside the functions that use it, or import the modules that "
                "need it inside the entrypoints: users who lack it then learn what to install",
                notes=_chain(item),
            )
