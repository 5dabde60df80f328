"""Find, read and validate ``[tool.hubpub]`` or ``hubpub.toml``, and make frozen settings of it.

Only the repository root is looked at: ``torch.hub`` reads ``hubconf.py`` there and nowhere else.
The file may come from a hostile repository, so its size is bounded and every failure is a
:class:`~hubpub.errors.ConfigError`.
"""

from __future__ import annotations

import datetime as dt
import difflib
import functools
import json
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hubpub.diagnostic import Severity
from hubpub.errors import ConfigError

MAX_BYTES = 1 << 18
"""A configuration larger than this is not one (bytes)."""

# A dotted key costs the standard parser the square of its parts, and a key below a long header
# costs the header's parts again: a quarter of a megabyte of dots would take hours.
_MAX_DOTS_IN_LINE = 1000
_MAX_DOTS_IN_HEADER = 100

_MAX_ARGUMENTS = 1 << 15

_MAX_SHOWN = 300
"""Characters of a validation message: it repeats the wrong value in full."""


def _empty() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True)
class Skip:
    """Leave an entrypoint out, for a reason, until a day after which it counts again."""

    reason: str
    until: dt.date

    def active(self, today: dt.date) -> bool:
        """Whether the skip still holds on ``today``."""
        return today <= self.until


@dataclass(frozen=True)
class EntrypointSettings:
    """``[tool.hubpub.verify.entrypoints.NAME]``: how verify calls one entrypoint."""

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=_empty)
    skip: Skip | None = None


@dataclass(frozen=True)
class Settings:
    """Everything a repository can configure.

    ``select`` None means every rule. ``ignore`` maps a code, a prefix or a name to the reason.
    """

    path: str | None = None
    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: Mapping[str, str] = field(default_factory=_empty)
    fail_on: Severity = Severity.WARNING
    github_url: str = "https://github.com"
    entrypoints: Mapping[str, EntrypointSettings] = field(default_factory=_empty)


def load(root: Path) -> Settings:
    """The settings of the repository at ``root``; defaults where it has none.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or breaks the schema.
    """
    for name, keys in (("hubpub.toml", ()), ("pyproject.toml", ("tool", "hubpub"))):
        table: Any = _read(root / name)
        for key in keys:
            table = table.get(key) if isinstance(table, dict) else None
        if table is not None:
            _validate(table, name, ".".join(keys))
            return _settings(table, name)
    return Settings()


def _read(path: Path) -> dict[str, Any] | None:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        # Opening a pipe would wait for a writer that never comes.
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigError(f"{path.name} cannot be read: it is not a regular file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path.name} cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{path.name} is larger than {MAX_BYTES} bytes")
    _refuse_depth(path.name, data)
    try:
        return tomllib.loads(data.decode())
    # ValueError: not TOML, not UTF-8, or an integer of more digits than Python converts.
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path.name} is not valid TOML: {error}") from error


def _refuse_depth(name: str, data: bytes) -> None:
    for number, line in enumerate(data.splitlines(), start=1):
        limit = _MAX_DOTS_IN_HEADER if line.lstrip().startswith(b"[") else _MAX_DOTS_IN_LINE
        if line.count(b".") > limit:
            raise ConfigError(f"{name}: line {number} has more than {limit} dots")


@functools.cache
def schema() -> Mapping[str, Any]:
    """The JSON Schema (2020-12) of the ``[tool.hubpub]`` table."""
    text = (Path(__file__).parent / "schemas" / "config.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _validate(table: object, name: str, prefix: str) -> None:
    import jsonschema

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
    where = ".".join([part for part in (prefix, *map(str, error.absolute_path)) if part])
    advice = None
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = list(error.schema.get("properties", {}))
        unknown = [key for key in error.instance if key not in known]
        near = difflib.get_close_matches(unknown[0], known, n=1) if unknown else []
        advice = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(sorted(known))}"
    raise ConfigError(
        f"{name}: {_short(where) or 'top level'}: {_short(error.message)}", help=advice
    )


def _short(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _settings(table: Mapping[str, Any], name: str) -> Settings:
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
        github_url=table.get("github-url", Settings.github_url),
        entrypoints=MappingProxyType(
            {
                entrypoint: _entrypoint(entry, name, entrypoint)
                for entrypoint, entry in table.get("verify", {}).get("entrypoints", {}).items()
            }
        ),
    )


def _entrypoint(entry: Mapping[str, Any], name: str, entrypoint: str) -> EntrypointSettings:
    skip = entry.get("skip")
    for key in ("args", "kwargs"):
        _passable(entry.get(key), f"{name}: verify.entrypoints.{entrypoint}.{key}")
    return EntrypointSettings(
        args=tuple(entry.get("args", ())),
        kwargs=MappingProxyType(dict(entry.get("kwargs", {}))),
        skip=None if skip is None else Skip(skip["reason"], _date(skip["until"], name, entrypoint)),
    )


def _passable(value: object, where: str) -> None:
    """Arguments reach the sandbox as JSON, which has no dates, in one message of bounded size."""
    try:
        length = len(json.dumps(value))
    except TypeError as error:
        raise ConfigError(
            f"{where}: a date or time cannot be passed", help="write it as text, in quotes"
        ) from error
    if length > _MAX_ARGUMENTS:
        raise ConfigError(f"{where}: more than {_MAX_ARGUMENTS} bytes")


def _date(value: object, name: str, entrypoint: str) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        # Newer Pythons read more spellings; take the one that all of them read.
        return dt.datetime.strptime(str(value), "%Y-%m-%d").date()  # noqa: DTZ007
    except ValueError as error:
        raise ConfigError(
            f"{name}: verify.entrypoints.{entrypoint}.skip.until: {value!r} is not a date",
            help="write it as 2027-01-31",
        ) from error
