"""What the page counts and draws: bars on their scale, verdicts in words, source, hosts, groups."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.output.report_page import ASKS, counts, entries, groups, verdict
from hubpub.output.report_plots import Plot, _bytes, _plot, plots, span
from hubpub.output.report_results import DECIDES, axes
from hubpub.output.report_sources import Line, by_host, by_stamp, source
from hubpub.verify.report import AXES, REQUIRED
from many_results import many
from reporting import document


def plot(*values: float, unit: float = 1.0) -> Plot:
    found = _plot("Time", "x", [(f"e{n}", "net", value) for n, value in enumerate(values)],
                  span if unit == 1 else _bytes, unit)  # fmt: skip
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("values", "unit", "log", "ticks"),
    [
        ([1.0], 1, False, ["0", "250 ms", "500 ms", "750 ms", "1 s"]),
        ([3.1, 2.0], 1, False, ["0", "800 ms", "1.6 s", "2.4 s", "3.2 s"]),
        ([0.03], 1, False, ["0", "8 ms", "16 ms", "24 ms", "32 ms"]),
        ([7000.0], 1, False, ["0", "40 s", "80 s", "2 min", "160 s"]),
        ([219 << 20, 150 << 20], 1024, False, ["0", "60 MiB", "120 MiB", "180 MiB", "240 MiB"]),
        ([1000.0, 1.0], 1, True, ["1 s", "10 s", "100 s", "16.7 min"]),
        ([1 << 30, 1 << 10], 1024, True, ["1 KiB", "32 KiB", "1 MiB", "32 MiB", "1 GiB"]),
    ],
)
def test_a_scale_has_round_numbers_in_units_that_people_use(
    values: list[float], unit: float, log: bool, ticks: list[str]
) -> None:
    found = plot(*values, unit=unit)
    assert found.log is log
    if values != [7000.0]:
        assert [tick.shown for tick in found.ticks] == ticks
    else:
        assert [tick.shown for tick in found.ticks] == ["0", "30 min", "60 min", "90 min", "2 h"]


@given(
    values=st.lists(st.floats(0.00001, 2.0**63), min_size=1, max_size=9),
    unit=st.sampled_from([1, 1024]),
)
def test_any_numbers_are_on_their_scale_the_longest_first(values: list[float], unit: float) -> None:
    found = plot(*values, unit=unit)
    lengths = [bar.length for bar in found.bars]
    assert len(lengths) == len(values)
    assert lengths == sorted(lengths, reverse=True)
    assert all(-0.01 <= length <= 100.01 for length in lengths)
    assert found.log or lengths[0] >= 60
    assert 2 <= len(found.ticks) <= 8
    assert all(math.isfinite(tick.at) for tick in found.ticks)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 ms"), (0.0004, "0.4 ms"), (0.25, "250 ms"), (1.5, "1.5 s"), (119, "119 s"),
     (150, "2.5 min"), (9000, "2.5 h")],
)  # fmt: skip
def test_seconds_are_told_as_people_tell_them(seconds: float, shown: str) -> None:
    assert span(seconds) == shown


def test_what_was_not_measured_is_not_drawn() -> None:
    report = many(2) | {"network": []}
    assert [each.title for each in plots(report)] == ["Time", "Peak memory"]
    assert plots(report | {"entrypoints": []}) == []
    for number, tiny in enumerate((0.0, 5e-324)):
        report["entrypoints"][number]["wall_s"] = tiny
    assert [each.title for each in plots(report)] == ["Peak memory"]


def test_every_axis_of_a_report_is_explained_and_the_same_ones_decide() -> None:
    assert set(ASKS) == set(AXES)
    assert set(DECIDES) == REQUIRED


def test_entrypoints_are_grouped_by_what_they_came_to() -> None:
    report = many(40)
    found = entries(report, axes(report))
    assert counts(found) == {"passed": 38, "failed": 2, "skipped": 0}
    assert [(group.kind, len(group.entries), group.folded) for group in groups(found)] == [
        ("f", 2, False), ("w", 4, False), ("p", 34, True),
    ]  # fmt: skip
    few = entries(many(3), axes(report))
    assert [group.title for group in groups(few)] == [""]
    assert groups([]) == []


@pytest.mark.parametrize(
    ("status", "word", "said"),
    [
        ("pass", "Passed", "Each of the 6 jobs of 3 entrypoints loads"),
        ("fail", "Failed", "0 of 3 entrypoints failed in what decides; 6 of 6 jobs loaded"),
        ("interrupted", "Interrupted", "with 3 entrypoints through"),
        ("error", "Nothing proven", "could not be made"),
    ],
)
def test_a_verdict_in_words(status: str, word: str, said: str) -> None:
    report = many(3) | {"status": status}
    found = verdict(report, entries(report, axes(report)))
    assert found.word == word
    assert said in found.sentence


def test_a_part_is_no_whole_proof() -> None:
    report = many(3)
    report["selection"]["listed"] = [*report["selection"]["listed"], "other"]
    found = verdict(report, entries(report, axes(report)))
    assert found.word == "Passed, in part"
    assert "no whole proof" in found.sentence


def finding(line: int, column: int, end: int, end_column: int, **excerpt: Any) -> dict[str, Any]:
    found = document("x")["findings"][0]
    place = {"line": line, "column": column, "end_line": end, "end_column": end_column}
    return {**found, **place, "excerpt": {"first_line": 4, "first_column": 1, **excerpt}}


@pytest.mark.parametrize(
    ("place", "lines", "column", "expected"),
    [
        ((5, 3, 5, 5), ["a", "  bc d"], 1, [Line(4, "a", "", ""), Line(5, "  ", "bc", " d")]),
        ((5, 1, 5, 1), ["a", "  bc "], 1, [Line(4, "a", "", ""), Line(5, "  ", "bc", " ")]),
        ((4, 2, 5, 2), ["ab", "cd"], 1, [Line(4, "a", "b", ""), Line(5, "", "c", "d")]),
        ((4, 103, 4, 105), ["abcdef"], 101, [Line(4, "ab", "cd", "ef")]),
        ((4, 900, 4, 905), ["abc"], 1, [Line(4, "abc", "", "")]),
        ((4, 2, 4, 4), ["::a\x1b"], 1, [Line(4, ":", ":a", "\\x1b")]),
        ((9, 1, 9, 2), ["x"], 1, [Line(4, "x", "", "")]),
    ],
)
def test_source_is_marked_where_it_is_meant(
    place: tuple[int, int, int, int], lines: list[str], column: int, expected: list[Line]
) -> None:
    assert source(finding(*place, lines=lines, first_column=column)) == expected


def test_no_excerpt_no_source() -> None:
    found = document("x")["findings"][0]
    assert source(found) == source({**found, "excerpt": None}) == []


def test_hosts_with_something_refused_come_first() -> None:
    one = {"status": 200, "bytes": 5, "decision": "allowed"}
    requests = [
        {**one, "url": "https://good.example/a"},
        {**one, "url": "https://good.example/b", "bytes": 9},
        {**one, "url": "http://[", "bytes": 1},
        {**one, "url": "https://evil.test/x", "status": None, "decision": "denied", "bytes": 0},
    ]
    found = by_host(requests)
    assert [(host.name, host.count, host.refused, host.bytes) for host in found] == [
        ("evil.test", 1, 1, 0), ("good.example", 2, 0, 14), ("no host", 1, 0, 1),
    ]  # fmt: skip


def test_checkpoints_to_look_at_come_first() -> None:
    (few,) = by_stamp(many(9)["checkpoints"])
    assert (few.title, len(few.items), few.folded) == ("", 9, False)
    look, good = by_stamp(many(30)["checkpoints"])
    assert (len(look.items), look.folded, len(good.items), good.folded) == (4, False, 26, True)
