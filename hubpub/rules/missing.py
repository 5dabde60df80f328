"""HUB212: imports of modules and names that the tree does not hold."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from hubpub.diagnostic import Severity
from hubpub.rules import Finding, rule
from hubpub.rules.absence import by_subject, chain, severity
from hubpub.source.facts import Place, Repo
from hubpub.source.facts_published import Missing


@rule("HUB212", "missing-module", Severity.ERROR)
def missing_module(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for imports of own modules that the tree does not hold: spelled in another way or in
    other letters, not where Python looks, not tracked by git, or made by a build. In hubconf.py,
    also for names that an own module lacks. Imports with a fallback do not count. Where only some
    calls need the module it is a warning, and so is a module that setup.py compiles where
    `dependencies` asks users to install the repository itself.

    ## Why is this bad?

    Users get what git tracks and nothing else. Names that differ in the case of letters alone are
    the same on a Mac and on Windows, and not on Linux.

    ## Example

    ```python title="tiny_net.py"
    hidden = 4
    ```

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        from Tiny_net import hidden

        return torch.nn.Linear(2, hidden)
    ```

    ## Use instead

    ```python title="tiny_net.py"
    hidden = 4
    ```

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        from tiny_net import hidden

        return torch.nn.Linear(2, hidden)
    ```
    """
    found = by_subject(repo, "untracked", "built", "elsewhere", "case", "nowhere")
    for missing in found.values():
        message, mend = _words(repo, missing)
        yield Finding(message, missing.item.place, severity(missing), mend, chain(missing))
    yield from _lacking(repo)


def _words(repo: Repo, missing: Missing) -> tuple[str, str]:
    """What is wrong with an import, and the shortest mend."""
    module, path = missing.item.module, missing.path or ""
    stem = posixpath.basename(path).removesuffix(".py")
    if missing.cause == "untracked":
        other = repo.published.spelled(posixpath.dirname(path), stem)
        if other is not None:
            return f"{path} is imported, and git knows it as {other}", f"git mv {other} {path}"
        return f"{path} is imported, and git does not track it", f"git add {path}"
    if missing.cause == "built":
        which = "which users of torch.hub do not run"
        if not missing.sure:
            which = "so only those who installed the repository have it"
        return (
            f"{module} is compiled by setup.py, {which}",
            "catch the ImportError and go on without it, or make it a package of its own",
        )
    if missing.cause == "elsewhere":
        return (
            f"{module} is imported, and the tree holds it as {path}, where Python does not look",
            "import it by its way from the root of the repository",
        )
    if missing.cause == "case":
        return f"{module} is imported, and the tree holds it as {path}", f"write {stem}"
    if path:
        return f"{module} is imported, and the tree holds no such module", f"did you mean {stem}?"
    return (
        f"{module} is imported, and the tree holds no such module",
        "add it, or take the import away",
    )


_LACKS = re.compile(r"cannot import name '.*' from '.*'")


def _lacking(repo: Repo) -> Iterator[Finding]:
    """Names that hubconf.py imports from an own module that does not have them."""
    if repo.hooked:
        return
    absences = {(item.item.place.path, item.item.place.span.line) for item in repo.absent}
    absent_files = {item.path for item in repo.absent}
    for failure in repo.failures:
        place = failure.place
        files = {item.file for item in repo.imports if _same_line(item.place, place)}
        known = (place.path, place.span.line) in absences or files & absent_files
        if _LACKS.fullmatch(failure.reason) and not known:
            yield Finding(
                f"importing hubconf.py fails: {failure.reason}",
                place,
                help="every load fails; take the name from where it is defined now",
            )


def _same_line(one: Place, other: Place) -> bool:
    return one.path == other.path and one.span.line <= other.span.line <= one.span.end_line
