"""What ``pytest --hubpub`` is asked for, read and judged before anything is collected."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hubpub import config as settings_of
from hubpub.config import Settings
from hubpub.errors import HubpubError
from hubpub.output.escape import short, visible

HUBCONF = "hubconf.py"
_LONGEST = 1000
_OURS: Mapping[str, str] = {
    "patterns": "--entrypoint: select with -k, or by the ids of the tests",
    "shard": "--shard: select with -k, or by the ids of the tests",
    "resume": "--resume: pytest --last-failed runs again what failed",
    "working_tree": "--working-tree is what is proven unless --hubpub-committed is given",
}
"""Options of verify that pytest has its own way for."""


@dataclass(frozen=True)
class Asked:
    """``args`` are further options of verify, ``device`` what of them says where to run.

    ``given``: whether the user named hubconf.py, or a folder above it, among the paths to collect.
    ``added``: whether it is collected all the same, as pytest chose the paths by itself.
    """

    root: Path
    settings: Settings
    verify: bool = False
    committed: bool = False
    args: tuple[str, ...] = ()
    device: str = "auto"
    given: bool = True
    added: bool = False

    @property
    def hubconf(self) -> Path:
        """The file that the tests are of."""
        return self.root / HUBCONF


def read(config: pytest.Config) -> Asked:
    """What the command line and the ini file ask for.

    Raises:
        pytest.UsageError: there is no hubconf.py, the configuration is broken, or an option of
            verify is none.
    """
    root = _root(config)
    try:
        settings = settings_of.load(root)
    except HubpubError as error:
        raise usage(error) from None
    option = config.option
    if option.hubpub_committed and not option.hubpub_verify:
        raise pytest.UsageError("--hubpub-committed says what to prove: add --hubpub-verify")
    args = _args(config)
    params: Mapping[str, Any] = {}
    if option.hubpub_verify:
        params = _parsed(root, args)
    elif option.hubpub_args:
        raise pytest.UsageError("--hubpub-args are options of verify: add --hubpub-verify")
    given = _is_given(config, root / HUBCONF)
    return Asked(
        root=root,
        settings=settings,
        verify=option.hubpub_verify,
        committed=option.hubpub_committed,
        args=args,
        device=params.get("device", "auto"),
        given=given,
        added=not given and config.args_source is not config.ArgsSource.ARGS,
    )


def usage(error: HubpubError, where: str = "hubpub: ") -> pytest.UsageError:
    """The error as pytest says it: in words, on as many lines as it has."""
    advice = "".join(f"\n  help: {visible(line)}" for line in (error.help or "").splitlines())
    return pytest.UsageError(f"{where}{visible(short(error.message, _LONGEST))}{advice}")


def _root(config: pytest.Config) -> Path:
    """The folder of a hubconf.py that is named among the paths, else what the ini file says."""
    named = {path.parent for path in _paths(config) if path.name == HUBCONF}
    if len(named) > 1:
        raise pytest.UsageError(f"--hubpub: {len(named)} files {HUBCONF} are named, one can be")
    said = config.getini("hubpub_root")
    base = config.inipath.parent if config.inipath is not None else config.rootpath
    # As pytest itself writes paths: with ".." in one, it would not find what it is to collect.
    own = Path(os.path.normpath(base / said)) if said else config.rootpath
    root = next(iter(named), own)
    if not (root / HUBCONF).is_file():
        raise pytest.UsageError(
            f"--hubpub: there is no {HUBCONF} in {visible(str(root))}\n"
            f"  help: run pytest in the repository, or name it: pytest --hubpub net/{HUBCONF}; "
            "hubpub_root = net in the ini file says it for good"
        )
    return root


def _args(config: pytest.Config) -> tuple[str, ...]:
    import shlex

    try:
        return (*config.getini("hubpub_args"), *shlex.split(config.option.hubpub_args))
    except ValueError as error:
        raise pytest.UsageError(f"--hubpub-args: {error}") from None


def _parsed(root: Path, args: tuple[str, ...]) -> Mapping[str, Any]:
    """The options of verify as its own command reads them.

    Raises:
        pytest.UsageError: an option that is none, has a wrong value, or is pytest's own business.
    """
    from hubpub.cli import reading

    try:
        params = reading.of_verify([str(root), *args])
    except HubpubError as error:
        raise usage(error, "--hubpub-args: ") from None
    for name, why in _OURS.items():
        if params[name]:
            raise pytest.UsageError(f"--hubpub-args: {why}")
    return params


def _paths(config: pytest.Config) -> list[Path]:
    """The paths to collect, without the id of a test that may stand behind one."""
    here = config.invocation_params.dir
    return [Path(os.path.normpath(here / arg.partition("::")[0])) for arg in config.args]


def _is_given(config: pytest.Config, hubconf: Path) -> bool:
    """Whether a path to collect is hubconf.py or above it."""
    place = hubconf.resolve()
    return any(path.resolve() in {place, *place.parents} for path in _paths(config))
