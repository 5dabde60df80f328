"""Find, read and validate ``[tool.hubpub]`` or ``hubpub.toml``, and make frozen settings of it.

Only the repository root is looked at: ``torch.hub`` reads ``hubconf.py`` there and nowhere else.
The file may come from a hostile repository, so its size is bounded and every failure is a
:class:`~hubpub.errors.ConfigError`.
"""

from __future__ import annotations

import difflib
import functools
import json
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hubpub.config.entrypoints import EntrypointSettings, Skip, read
from hubpub.config.lines import line_of, line_of_text
from hubpub.diagnostic import Severity
from hubpub.errors import ConfigError

__all__ = ["EntrypointSettings", "Settings", "Skip", "load", "load_file", "parse", "schema"]

MAX_BYTES = 1 << 18
"""A configuration larger than this is not one (bytes)."""

# A dotted key costs the standard parser the square of its parts, and a key below a long header
# costs the header's parts again: a quarter of a megabyte of dots would take hours.
_MAX_DOTS_IN_LINE = 1000
_MAX_DOTS_IN_HEADER = 100

_MAX_SHOWN = 300
"""Characters of a validation message: it repeats the wrong value in full."""

_MAX_KEY = 100
"""Characters of an unknown key that are compared with known ones."""


def _empty() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True)
class Settings:
    """Everything a repository can configure.

    ``path`` is the file of the repository that says so, None where nothing or another file does.
    ``select`` None means every rule. ``ignore`` maps a code, a prefix or a name to the reason.
    ``exclude`` are patterns of folders that are not searched for publishers. ``remark`` is what
    the user should know about the configuration, ``text`` the file itself.
    """

    path: str | None = None
    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: Mapping[str, str] = field(default_factory=_empty)
    fail_on: Severity = Severity.WARNING
    unsafe_fixes: bool = False
    exclude: tuple[str, ...] = ()
    github_url: str = "https://github.com"
    entrypoints: Mapping[str, EntrypointSettings] = field(default_factory=_empty)
    remark: str | None = field(default=None, compare=False)
    text: str = field(default="", compare=False, repr=False)

    def line(self, selector: str) -> int:
        """The 1-based line of the file on which ``selector`` stands; 1 where that is not found."""
        lines = (
            line_of_text(self.text, selector, [*keys, key])
            for _, keys in _TABLES
            for key in ("select", "extend-select", "ignore")
        )
        return next((line for line in lines if line is not None), 1)


_TABLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("hubpub.toml", ()),
    ("pyproject.toml", ("tool", "hubpub")),
)
"""The files that hold settings, the stronger one first, and the table of each that does."""


def load(root: Path) -> Settings:
    """The settings of the repository at ``root``; defaults where it has none.

    hubpub.toml wins over pyproject.toml, and a remark says so where both have settings.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or breaks the schema.
    """
    for name, keys in _TABLES:
        text = _read(root / name, name)
        table = None if text is None else _table(text, name, keys)
        if text is not None and table is not None:
            found = _settings(table, name, text, keys)
            remark = _shadowed(root) if not keys else None
            return replace(found, remark=remark)
    return Settings()


def load_file(path: Path) -> Settings:
    """The settings in ``path``: in ``[tool.hubpub]`` of a pyproject.toml, else in the whole file.

    Raises:
        ConfigError: as :func:`load`, or the file is not there or has no settings.
    """
    name, keys = str(path), ("tool", "hubpub") if path.name == "pyproject.toml" else ()
    text = _read(path, name)
    if text is None:
        raise ConfigError(f"{name} does not exist")
    table = _table(text, name, keys)
    if table is None:
        raise ConfigError(f"{name} has no [tool.hubpub]")
    return replace(_settings(table, name, text, keys), path=None)


def _shadowed(root: Path) -> str | None:
    """That pyproject.toml has settings too, which do not count; broken ones are none."""
    name, keys = _TABLES[1]
    try:
        text = _read(root / name, name)
        table = None if text is None else _table(text, name, keys)
    except ConfigError:
        return None
    shadowed = table is not None
    return "hubpub.toml is used; [tool.hubpub] in pyproject.toml is not" if shadowed else None


def _read(path: Path, name: str) -> str | None:
    try:
        # Opening a pipe would wait for a writer that never comes.
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigError(f"{name} cannot be read: it is not a regular file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{name} cannot be read: {reason}") from error
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{name} is larger than {MAX_BYTES} bytes")
    _refuse_depth(name, data)
    try:
        return data.decode()
    except ValueError as error:
        raise ConfigError(f"{name} is not valid TOML: {error}") from error


def parse(text: str, name: str) -> Any:
    """What a TOML file called ``name`` says.

    Raises:
        ConfigError: it is not TOML.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(text)
    # ValueError: not TOML, or an integer of more digits than Python converts.
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{name} is not valid TOML: {error}") from error


def _table(text: str, name: str, keys: tuple[str, ...]) -> Any:
    """The table at ``keys``; None where there is none."""
    table = parse(text, name)
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return table


def _refuse_depth(name: str, data: bytes) -> None:
    for number, line in enumerate(data.splitlines(), start=1):
        limit = _MAX_DOTS_IN_HEADER if line.lstrip().startswith(b"[") else _MAX_DOTS_IN_LINE
        if line.count(b".") > limit:
            raise ConfigError(f"{name}: line {number} has more than {limit} dots")


@functools.cache
def schema() -> Mapping[str, Any]:
    """The JSON Schema (2020-12) of the ``[tool.hubpub]`` table."""
    text = (Path(__file__).parents[1] / "schemas" / "config.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _validate(table: object, name: str, text: str, keys: tuple[str, ...]) -> None:
    import jsonschema

    prefix = ".".join(keys)
    try:
        # TOML has dates, JSON has not: compare as the text that the schema describes.
        plain = json.loads(json.dumps(table, default=str))
    except RecursionError as cause:
        raise ConfigError(f"{name}: {prefix or 'top level'} is nested too deeply") from cause
    error = jsonschema.exceptions.best_match(
        jsonschema.Draft202012Validator(schema()).iter_errors(plain)
    )
    if error is None:
        return
    path = [*keys, *error.absolute_path]
    where = ".".join(str(part) for part in path)
    message, advice = error.message, None
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = list(error.schema.get("properties", {}))
        unknown = [key for key in error.instance if key not in known]
        if unknown:
            message = f"unknown key {unknown[0]!r}"
            path.append(unknown[0])
            near = difflib.get_close_matches(unknown[0][:_MAX_KEY], known, n=1)
            rest = f"known keys: {', '.join(sorted(known))}"
            advice = f"did you mean {near[0]!r}?" if near else rest
    line = line_of(text, path)
    at = f" (line {line})" if line is not None else ""
    raise ConfigError(f"{name}: {_short(where) or 'top level'}: {_short(message)}{at}", help=advice)


def _short(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _settings(table: Any, name: str, text: str, keys: tuple[str, ...]) -> Settings:
    _validate(table, name, text, keys)
    ignore = table.get("ignore", {})
    if isinstance(ignore, list):
        ignore = dict.fromkeys(ignore, "")
    select = table.get("select")
    return Settings(
        path=name,
        select=None if select is None else tuple(select),
        extend_select=tuple(table.get("extend-select", ())),
        ignore=MappingProxyType(dict(ignore)),
        fail_on=Severity.from_label(table.get("fail-on", "warning")),
        unsafe_fixes=table.get("unsafe-fixes", False),
        exclude=tuple(table.get("exclude", ())),
        text=text,
        github_url=table.get("github-url", Settings.github_url),
        entrypoints=MappingProxyType(
            {
                entrypoint: read(entry, f"{name}: verify.entrypoints.{entrypoint}")
                for entrypoint, entry in table.get("verify", {}).get("entrypoints", {}).items()
            }
        ),
    )
