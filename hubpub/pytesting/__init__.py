"""``pytest --hubpub``: a second door, for publishers who live in pytest.

What ``hubpub check`` finds and what ``hubpub verify`` proves become test items of ``hubconf.py``.
This module is what pytest loads at each start where hubpub is installed: it adds its options, and
imports the rest where one of them is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, and what the ini file may say."""
    group = parser.getgroup("hubpub", "models published through PyTorch Hub (hubpub)")
    group.addoption(
        "--hubpub", action="store_true", help="Test what `hubpub check` says of hubconf.py."
    )
    group.addoption(
        "--hubpub-verify",
        action="store_true",
        help="Also load every entrypoint in a sandbox, as `hubpub verify` does: the files as they "
        "are.",
    )
    group.addoption(
        "--hubpub-committed",
        action="store_true",
        help="With --hubpub-verify: what is committed, not the files as they are.",
    )
    group.addoption(
        "--hubpub-args",
        metavar="ARGS",
        default="",
        help="More options of `hubpub verify`, as in --hubpub-args='--device cpu --require "
        "offline'; after those of the ini file.",
    )
    parser.addini("hubpub_root", "The folder with hubconf.py (default: the rootdir).", default="")
    parser.addini("hubpub_args", "Options of `hubpub verify`.", type="args", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Take part where that is asked for."""
    if config.option.hubpub or config.option.hubpub_verify:
        from hubpub.pytesting import collecting

        collecting.take_part(config)
