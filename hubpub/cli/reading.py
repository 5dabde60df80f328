"""The options of verify, read and judged as its command does it; nothing runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from hubpub.errors import UsageError


def of_verify(arguments: Sequence[str]) -> Mapping[str, Any]:
    """The values of the command's parameters, by their names in the code.

    Raises:
        UsageError: an option that is none, has a wrong value, or contradicts another.
    """
    from hubpub.cli.verify import command
    from hubpub.verify import demands, devices, hosts
    from hubpub.verify.sandbox import tiers

    if {"-h", "--help", "--"} & set(arguments):
        raise UsageError("only options are read here", help="`hubpub verify --help` lists them")
    try:
        params = command.make_context("hubpub verify", list(arguments)).params
    except click.ClickException as error:
        raise UsageError(error.format_message()) from None
    devices.read(params["device"])
    hosts.rules(params["allow_hosts"])
    demands.Demands(frozenset(params["require"]), frozenset(params["skip"])).check()
    tiers.Wanted(params["tier"], params["trusted"], params["image"]).check()
    return params
