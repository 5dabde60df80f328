"""Findings: frozen, hashable, and in one order."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.diagnostic import FILE_START, Diagnostic, Edit, Fix, Note, Severity, Span

ANY = Diagnostic("hubconf.py", Span(2, 1, 2, 5), "HUB101", "name", Severity.WARNING, "message")


def test_severities_compare_as_they_hurt() -> None:
    assert Severity.NOTE < Severity.WARNING < Severity.ERROR
    for severity in Severity:
        assert Severity.from_label(severity.label) is severity
        assert severity.label == severity.label.lower()
    with pytest.raises(KeyError):
        Severity.from_label("fatal")


def test_order_is_path_line_column_code() -> None:
    ordered = [
        dataclasses.replace(ANY, path="a.py", span=Span(9, 9, 9, 9), code="HUB999"),
        dataclasses.replace(ANY, span=Span(1, 9, 1, 9)),
        dataclasses.replace(ANY, span=Span(2, 1, 2, 5), code="HUB101"),
        dataclasses.replace(ANY, span=Span(2, 1, 2, 5), code="HUB102"),
        dataclasses.replace(ANY, span=Span(2, 3, 2, 5), code="HUB101"),
        dataclasses.replace(ANY, span=Span(10, 1, 10, 5)),
    ]
    for shuffled in itertools.permutations(ordered):
        assert sorted(shuffled) == ordered


@given(st.permutations([Severity.ERROR, Severity.NOTE, Severity.WARNING]))
def test_severity_name_and_help_do_not_change_the_order(severities: list[Severity]) -> None:
    one = dataclasses.replace(ANY, severity=severities[0], name="x", help="h")
    two = dataclasses.replace(ANY, severity=severities[1], name="y", notes=(NOTE,), fix=FIX)
    assert one == two
    assert not one < two
    assert hash(one) == hash(two)


NOTE = Note("README.md", FILE_START, "here")
FIX = Fix("say so", safe=True, edits=(Edit("hubconf.py", Span(1, 1, 1, 1), "x\n"),))


@pytest.mark.parametrize("value", [ANY, NOTE, FIX, FIX.edits[0], FILE_START])
def test_everything_is_frozen_and_hashable(value: object) -> None:
    assert isinstance(hash(value), int)
    field = next(iter(vars(value)))
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, field, None)
