"""Imports that the published tree cannot satisfy, and why."""

from __future__ import annotations

import difflib
import posixpath

from hubpub.source.facts import Import, Repo
from hubpub.source.facts_published import Missing
from hubpub.source.packages import WELL_KNOWN, distribution_of, normal

MAX_LOOKED_FOR = 300
"""So many modules that are not where they are imported from are looked for; no more."""


def absent(repo: Repo) -> tuple[Missing, ...]:
    """The imports of ``repo`` that need what users do not get; guarded ones aside."""
    if repo.hooked:
        return ()
    own = {item.module: item.file for item in repo.imports if item.file}
    found: dict[Missing, None] = {}
    looked: dict[tuple[str, str], None] = {}
    for item in repo.imports:
        if item.guarded or (item.when == "import" and item.conditional):
            continue
        if item.origin == "repository" and item.file:
            missing = _of_file(repo, item)
        else:
            looked[item.origin, item.module] = None
            missing = _elsewhere(repo, item, own) if len(looked) <= MAX_LOOKED_FOR else None
        if missing is not None:
            found[missing] = None
    return tuple(found)


def _elsewhere(repo: Repo, item: Import, own: dict[str, str]) -> Missing | None:
    if item.origin == "missing":
        return _of_part(repo, item, own)
    return _of_package(repo, item) if item.origin == "third party" else None


def _of_file(repo: Repo, item: Import) -> Missing | None:
    """A module that the folder holds, and the zip may not."""
    path = item.file or ""
    cause = repo.published.why_absent(path)
    if cause == "untracked" and _is_version(repo, path):
        return Missing(item, "version", path)
    return None if cause is None else Missing(item, cause, path)


def _of_part(repo: Repo, item: Import, own: dict[str, str]) -> Missing:
    """A part that an own package lacks."""
    parts = item.module.split(".")
    folder, rest = "", parts
    for index in range(len(parts) - 1, 0, -1):
        file = own.get(".".join(parts[:index]))
        if file is not None and file.endswith("/__init__.py"):
            folder, rest = posixpath.dirname(file), parts[index:]
            break
    return _of_names(repo, item, [folder], rest) or Missing(item, "nowhere")


def _of_names(repo: Repo, item: Import, folders: list[str], names: list[str]) -> Missing | None:
    """Why the dotted ``names`` are not below any of the folders, where there is a reason."""
    for folder in folders:
        path = folder
        for name in names:
            above, path = path, posixpath.join(path, name)
            for candidate in (path, f"{path}.py"):
                cause = repo.published.why_absent(candidate)
                if cause in {"submodule", "export-ignored", "symlink"}:
                    return Missing(item, str(cause), candidate)
                if _is_version(repo, candidate):
                    return Missing(item, "version", candidate)
            if ".".join(names) in repo.project.built or item.module in repo.project.built:
                return Missing(item, "built", "setup.py")
            other = repo.published.spelled(above, name)
            if other is not None:
                return Missing(item, "case", other)
    return None


def _is_version(repo: Repo, path: str) -> bool:
    name = posixpath.basename(path)
    likely = repo.project.from_git and name in {"_version.py", "version.py"}
    return path in repo.project.versions or likely


def _of_package(repo: Repo, item: Import) -> Missing | None:
    """What looks like a package of others, and may be an own module that is not found."""
    name, names = item.package, item.module.split(".")
    dependencies = repo.hubconf.dependencies.names if repo.hubconf else frozenset()
    if name == "torch" or name in {one.partition(".")[0] for one in dependencies}:
        return None
    if name in repo.project.built:
        asked = repo.project.names & {normal(one) for one in dependencies}
        return Missing(item, "built", "setup.py", sure=not asked)
    roots = [root for root in repo.roots if not root.startswith("/")]
    solid = [root for root in roots if not _in_submodule(repo, root)]
    found = _of_names(repo, item, solid, names[:1])
    if found is not None and found.cause != "case":
        return found
    inside = _own_package(repo, item)
    if inside is not None:
        return Missing(item, "elsewhere", inside)
    known = name in WELL_KNOWN or normal(distribution_of(name)[0]) in repo.project.required
    if known or normal(name) in repo.project.required:
        return None
    if found is not None:
        return found
    if any(_in_submodule(repo, root) for root in roots):
        path = next(root for root in roots if _in_submodule(repo, root))
        return Missing(item, "submodule", path, sure=False)
    elsewhere = repo.published.modules_called(name, names[1:])
    if elsewhere:
        return Missing(item, "elsewhere", elsewhere[0])
    near = _near(repo, name, roots)
    return None if near is None else Missing(item, "nowhere", near)


def _in_submodule(repo: Repo, path: str) -> bool:
    return bool(path) and repo.published.why_absent(path) == "submodule"


def _own_package(repo: Repo, item: Import) -> str | None:
    """The folder of the package that ``item`` names, where the importing file lies in it."""
    folders = item.place.path.split("/")[:-1]
    if item.package not in folders:
        return None
    index = folders.index(item.package)
    folder = "/".join(folders[: index + 1])
    rest = item.module.split(".")[1:]
    return folder if index and repo.published.holds_module(folder, rest) else None


def _near(repo: Repo, name: str, roots: list[str]) -> str | None:
    """An own module beside which ``name`` looks like a slip, or like a part that was left out."""
    beside = {path for root in roots for path in repo.published.modules_in(root)}
    stems = {posixpath.basename(path).removesuffix(".py"): path for path in sorted(beside)}
    stems = {stem: path for stem, path in stems.items() if len(stem) > 3 and stem != "hubconf"}
    near = difflib.get_close_matches(name, stems, n=1, cutoff=0.75)
    longer = [stem for stem in stems if name.startswith(stem) and name[len(stem) :].isdigit()]
    return stems[(near or longer)[0]] if near or longer else None
