"""Every error knows its exit code and what to do next."""

from __future__ import annotations

import pytest

from hubpub import errors


def subclasses(kind: type[errors.HubpubError]) -> set[type[errors.HubpubError]]:
    below = set(kind.__subclasses__())
    return below.union(*(subclasses(one) for one in below))


def test_the_exit_codes_are_those_of_the_contract() -> None:
    codes = {kind.__name__: kind.exit_code for kind in subclasses(errors.HubpubError)}
    named = {"UsageError": 2, "ConfigError": 2, "CannotVerifyError": 4}
    assert codes.items() >= named.items()
    assert set(codes.values()) <= {1, 2, 3, 4}
    assert errors.HubpubError.exit_code == 3


@pytest.mark.parametrize("kind", [errors.UsageError, errors.ConfigError, errors.CannotVerifyError])
def test_message_and_help(kind: type[errors.HubpubError]) -> None:
    error = kind("no such ref", help="try a tag")
    assert (str(error), error.message, error.help) == ("no such ref", "no such ref", "try a tag")
    assert kind("no such ref").help is None
