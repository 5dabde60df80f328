"""The parts of a plan are those of ``verify --shard``, however many names there are."""

from __future__ import annotations

import json
import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from hubpub.output import plan as saying
from hubpub.verify.planning import MOST_SHARDS, deal, number_of_shards
from hubpub.verify.selection import Selection, read_shard

NAMES = st.lists(st.text(max_size=12), unique=True, max_size=60)
HOSTILE = ['"}]}\n::set-output name=x::', "${{ secrets.TOKEN }}", "$(id)", "\x1b[2J", "\ud800"]


def rows(names: list[str], count: int) -> list[saying.Row]:
    return [saying.Row(part.shard.number, part.shard.count, part.names)
            for part in deal(names, count)]  # fmt: skip


@given(names=NAMES, count=st.integers(1, 80))
@example(names=HOSTILE, count=2)
def test_the_parts_of_a_plan_are_those_of_verify(names: list[str], count: int) -> None:
    """Each as a job of the matrix hands it on: the text of --shard, read as verify reads it."""
    planned = rows(names, count)
    cells = json.loads(saying.matrix(planned))["include"]
    assert [cell["index"] for cell in cells] == list(range(1, count + 1))
    for row, cell in zip(planned, cells, strict=True):
        assert list(row.names) == Selection(shard=read_shard(cell["shard"])).take(names[::-1])
    assert sorted(name for row in planned for name in row.names) == sorted(names)
    assert all(row.names for row in planned) is (count <= len(names))


@given(
    names=st.integers(0, 5000), unsure=st.integers(0, 5000),
    most=st.integers(1, 300), per_shard=st.integers(1, 2000),
)  # fmt: skip
@example(names=0, unsure=0, most=256, per_shard=10)
@example(names=5000, unsure=0, most=300, per_shard=1)
def test_no_more_shards_than_are_asked_for_certain_and_taken(
    names: int, unsure: int, most: int, per_shard: int
) -> None:
    certain = max(0, names - unsure)
    count = number_of_shards(names, certain, most, per_shard)
    assert 1 <= count <= min(most, MOST_SHARDS)
    assert count <= max(1, certain)
    room = min(most, MOST_SHARDS, max(1, certain))
    if count < room:  # nothing but the size of a shard has decided
        assert (count - 1) * per_shard < max(1, names) <= count * per_shard


@given(names=NAMES.filter(bool), count=st.integers(1, 9))
@example(names=HOSTILE, count=3)
def test_the_matrix_is_one_line_without_a_word_of_the_repository(
    names: list[str], count: int
) -> None:
    line = saying.matrix(rows(names, count))
    assert line.isascii()
    assert line.count("\n") == 1
    assert line.endswith("}\n")
    assert line == saying.matrix(rows(["net"] * 60, count))


@given(names=st.lists(st.text(max_size=300), min_size=1, unique=True, max_size=60))
@example(names=HOSTILE)
def test_text_stays_in_its_lines(names: list[str]) -> None:
    planned = saying.Planned("octo/net", "tag", "0" * 40, tuple(rows(names, 3)), 3, tuple(names))
    text = saying.render("text", planned)
    assert text.count("\n") == 1 + 3 + len(names)
    kinds = {unicodedata.category(char) for char in text if char not in "\n\t"}
    assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not any(line.startswith("::") for line in text.splitlines())
    assert max(map(len, text.splitlines()[:4])) < 5 * 660 + 40
    assert json.loads(saying.render("json", planned))["exact"] is False
