"""HUB601 to HUB604, HUB607: what GitHub's zip lacks, though a clone has it.

It has no files of submodules and of Git LFS, nothing that is marked ``export-ignore``, no ``.git``,
and text files for symlinks.
"""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.diagnostic import Severity
from hubpub.rules import Finding, rule
from hubpub.rules.absence import by_subject, chain, severity
from hubpub.source.facts import CHECKPOINT_SUFFIXES, Repo
from hubpub.source.facts_published import Missing
from hubpub.source.packages import normal


def _opened(repo: Repo, cause: str, message: str, mend: str) -> Iterator[Finding]:
    """A finding for each file that is opened, checkpoints aside (HUB412 has those)."""
    seen = set()
    for item in repo.opened:
        skipped = (
            item.path.lower().endswith(CHECKPOINT_SUFFIXES)
            or item.guarded
            or (item.when == "import" and item.conditional)
        )
        if not skipped and item.path not in seen and repo.published.why_absent(item.path) == cause:
            seen.add(item.path)
            level = Severity.WARNING if item.conditional else None
            yield Finding(message.format(path=item.path), item.place, level, mend)


def _left_out(repo: Repo, cause: str, imported: str, opened: str, mend: str) -> Iterator[Finding]:
    """Files that are imported, and files that are opened, each with what it is in the zip."""
    for path, found in by_subject(repo, cause).items():
        message = f"{path} is imported, and {imported}"
        yield Finding(message, found.item.place, severity(found), mend, chain(found))
    yield from _opened(repo, cause, f"{{path}} is opened, and {opened}", mend)


@rule("HUB601", "submodule-needed", Severity.ERROR)
def submodule_needed(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for imports and opened files that lie in a git submodule.

    ## Why is this bad?

    `torch.hub` downloads GitHub's zip, in which every submodule is an empty folder. What works in a
    clone with its submodules fails for every user.

    ## Example

    ```text title=".gitmodules"
    [submodule "tiny_net"]
        path = tiny_net
        url = https://github.com/octo/tiny_net
    ```

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        from tiny_net.model import hidden

        return torch.nn.Linear(2, hidden)
    ```

    ## Use instead

    ```python title="tiny_net/model.py"
    hidden = 4
    ```

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        from tiny_net.model import hidden

        return torch.nn.Linear(2, hidden)
    ```

    ## References

    - [git-archive](https://git-scm.com/docs/git-archive), which makes the zip and leaves
      submodules empty
    """
    mend = "copy what is needed into the repository, or make it a package that users install"
    groups: dict[str, Missing] = {}
    for found in by_subject(repo, "submodule").values():
        groups.setdefault(repo.published.submodule_of(found.subject) or found.subject, found)
    for submodule, found in groups.items():
        where = "lies in" if found.sure else "may lie in"
        yield Finding(
            f"{found.item.module} {where} {submodule}, a submodule: empty in GitHub's zip",
            found.item.place,
            severity(found),
            mend,
            chain(found),
        )
    message = "{path} lies in a submodule, which is empty in GitHub's zip"
    yield from _opened(repo, "submodule", message, mend)


@rule("HUB602", "lfs-pointer", Severity.WARNING)
def lfs_pointer(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for opened files, checkpoints aside (HUB412), that Git LFS stores elsewhere.

    ## Why is this bad?

    GitHub's zip holds a pointer of three lines in their place, unless the owner of the repository
    switched LFS objects in archives on. The code then reads the pointer, or fails on it.

    ## Example

    ```text title="labels.txt"
    version https://git-lfs.github.com/spec/v1
    oid sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    size 48
    ```

    ```python
    import os as _os

    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        with open(_os.path.join(_os.path.dirname(__file__), "labels.txt")) as file:
            return torch.nn.Linear(2, len(file.readlines()))
    ```

    ## Use instead

    ```text title="labels.txt"
    cat
    dog
    ```

    ```python
    import os as _os

    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        with open(_os.path.join(_os.path.dirname(__file__), "labels.txt")) as file:
            return torch.nn.Linear(2, len(file.readlines()))
    ```

    ## References

    - [Git LFS objects in archives](https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/managing-repository-settings/managing-git-lfs-objects-in-archives-of-your-repository)
    """
    mend = "take it out of LFS (git lfs untrack), or download it as a checkpoint is"
    zipped = "in GitHub's zip it is a pointer of Git LFS"
    yield from _left_out(repo, "lfs", zipped, zipped, mend)


@rule("HUB603", "export-ignored", Severity.ERROR)
def export_ignored(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for imports and opened files that `.gitattributes` marks as `export-ignore`.

    ## Why is this bad?

    `torch.hub` downloads GitHub's zip, which is made by `git archive`: it leaves out what is marked
    so. The file is there in every clone, and missing for every user.

    ## Example

    ```text title=".gitattributes"
    tiny_net/ export-ignore
    ```

    ```python title="tiny_net/__init__.py"
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

    ## Use instead

    ```text title=".gitattributes"
    tests/ export-ignore
    ```

    ```python title="tiny_net/__init__.py"
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

    ## References

    - [gitattributes: export-ignore](https://git-scm.com/docs/gitattributes#_export_ignore)
    """
    mend = "take the pattern out of .gitattributes, or add one with -export-ignore after it"
    zipped = ".gitattributes leaves it out of GitHub's zip"
    yield from _left_out(repo, "export-ignored", zipped, zipped, mend)


@rule("HUB604", "symlink-needed", Severity.ERROR)
def symlink_needed(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for imports and opened files that are symlinks, or lie behind one.

    ## Why is this bad?

    `torch.hub` unpacks GitHub's zip with Python's zipfile, which makes no symlinks: each becomes a
    small text file that holds the path it pointed to. (That is what the example shows.)

    ## Example

    ```text title="tiny_net.py"
    networks/tiny.py
    ```

    ```python title="networks/tiny.py"
    hidden = 4
    ```

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        import tiny_net

        return torch.nn.Linear(2, tiny_net.hidden)
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
        import tiny_net

        return torch.nn.Linear(2, tiny_net.hidden)
    ```

    ## References

    - `torch.hub._safe_extract_zip`
    """
    mend = "put the file itself there, or import it from where it is"
    link = "it is a symlink, or behind one"
    module, text = f"{link}: no module in the zip", f"{link}: a path as text in the zip"
    yield from _left_out(repo, "symlink", module, text, mend)


@rule("HUB607", "version-from-git", Severity.WARNING)
def version_from_git(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks whether importing hubconf.py needs a version that only git, a build or an installation
    has: a file that setuptools_scm writes, the output of git, or the metadata of the repository's
    own distribution. A missing file is an error.

    ## Why is this bad?

    Users of `torch.hub` have an unpacked zip: no `.git`, nothing built, nothing installed. The
    import raises for all who do not happen to have installed the package as well.

    ## Example

    ```toml title="pyproject.toml"
    [tool.setuptools_scm]
    version_file = "tiny_net/_version.py"
    ```

    ```python title="tiny_net/__init__.py"
    from ._version import version

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

    ## Use instead

    ```toml title="pyproject.toml"
    [tool.setuptools_scm]
    version_file = "tiny_net/_version.py"
    ```

    ```python title="tiny_net/__init__.py"
    try:
        from ._version import version
    except ImportError:
        version = "unknown"

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
    mend = "write the version down in a file that git tracks, or catch the error"
    for path, found in by_subject(repo, "version").items():
        message = f"{path} is written by a build: users of torch.hub do not have it"
        level = severity(found) or Severity.ERROR
        yield Finding(message, found.item.place, level, mend, chain(found))
    own = {normal(name.rpartition("/")[2]) for name in repo.own} | repo.project.names
    for call in repo.version_calls:
        if call.kind == "git":
            message = "git is asked for a version when hubconf.py is imported: the zip has no .git"
            yield Finding(message, call.place, help=mend)
        elif normal(call.distribution) in own:
            yield Finding(
                f"{call.distribution} is asked for its version when hubconf.py is imported: users "
                "of torch.hub have not installed it",
                call.place,
                help=mend,
            )
