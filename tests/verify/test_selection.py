"""A part of the entrypoints: which ones are taken, and that a part never looks like the whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conftest import RunHubpub
from hubpub.errors import UsageError
from hubpub.output import reports
from hubpub.verify.selection import Selection, Shard, read_shard
from proving import Prove

NAMES = ["ResNet", "resnet18", "resnet34", "resnext50", "vgg11", "vgg16"]
ANY_NAMES = st.lists(st.text(max_size=12), unique=True, max_size=60)


@pytest.mark.parametrize(
    ("patterns", "taken"),
    [
        ((), NAMES),
        (("vgg11",), ["vgg11"]),
        (("resn*",), ["resnet18", "resnet34", "resnext50"]),
        (("vgg*", "resnet18", "vgg11"), ["resnet18", "vgg11", "vgg16"]),
        (("vgg1[!6]",), ["vgg11"]),
        (("?es*t",), ["ResNet"]),
        (("*",), NAMES),
    ],
)
def test_patterns(patterns: tuple[str, ...], taken: list[str]) -> None:
    assert Selection(patterns).take(NAMES) == taken


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("resnet81", "did you mean resnet18"),
        ("RESNET18", "case counts: resnet18"),
        ("VGG*", "case counts: vgg11, vgg16"),
        ("net", "did you mean ResNet"),
        ("xt5*", "did you mean resnext50"),
        ("zzz", "there are ResNet, resnet18"),
        ("", "there are ResNet, resnet18"),
    ],
)
def test_a_pattern_that_matches_nothing_names_close_ones(pattern: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        Selection(("vgg11", pattern)).take(NAMES)
    assert caught.value.message == f"--entrypoint {pattern} matches none of 6 entrypoints"
    assert said in str(caught.value.help)


def test_of_many_names_a_few_are_shown() -> None:
    with pytest.raises(UsageError) as caught:
        Selection(("zzz",)).take([f"net{number}" for number in range(200)])
    assert str(caught.value.help).endswith(", and 192 more")


@given(names=ANY_NAMES, count=st.integers(1, 70), pattern=st.sampled_from(["*", "*a*", "[0-m]*"]))
@example(names=NAMES, count=9, pattern="*")
def test_every_entrypoint_is_in_exactly_one_shard(
    names: list[str], count: int, pattern: str
) -> None:
    try:
        whole = Selection((pattern,)).take(names)
    except UsageError:
        return
    shards = [
        Selection((pattern,), Shard(number, count)).take(names) for number in range(1, count + 1)
    ]
    assert sorted(name for shard in shards for name in shard) == whole == sorted(whole)
    sizes = {len(shard) for shard in shards}
    assert max(sizes) - min(sizes) <= 1
    other = Selection((pattern,), Shard(1, count)).take(names[::-1])
    assert other == shards[0]  # by name, however the list came


@given(number=st.integers(1, 10_000), more=st.integers(0, 9_000))
def test_a_shard_is_read_as_it_is_written(number: int, more: int) -> None:
    shard = Shard(number, min(10_000, number + more))
    assert read_shard(str(shard)) == shard


@pytest.mark.parametrize(
    "text",
    ["", "1", "0/4", "5/4", "1/0", "-1/4", "1/4/2", "a/b", " 1/4", "1/4\n", "1/99999", "1.0/2"],
)
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_shard(text)
    assert "1/4 to 4/4" in str(caught.value.help)


THREE = "".join(
    f'def {name}():\n    "A net."\n    return torch.nn.Linear(1, 1)\n\n\n'
    for name in ("one", "three", "two")
)


@pytest.mark.sandbox
def test_a_part_says_that_it_is_none_of_the_whole(prove: Prove) -> None:
    pytest.importorskip("torch", reason="the verify extra is not installed")
    proof = prove(THREE, "--entrypoint", "t*", "--shard", "2/2")
    assert proof.code == 0, proof.text
    assert [item["name"] for item in proof.report["entrypoints"]] == ["two"]
    assert proof.report["selection"] == {
        "patterns": ["t*"], "shard": "2/2", "listed": ["one", "three", "two"], "whole": False,
    }  # fmt: skip
    assert "selected: 1 of 3 entrypoints: --entrypoint t* --shard 2/2" in proof.text
    assert "partial-run" in proof.names()
    for name in set(reports.FORMATS) - {"json", "github", "badge", "checksums"}:
        text = reports.render(name, proof.report).replace("\\", "")
        assert "PARTIAL: 1 of 3 entrypoints" in text, name
    assert "only 1 of 3 entrypoints" in reports.render("github", proof.report)
    assert "1 of 3 entrypoints proven" in reports.render("badge", proof.report)


@pytest.mark.sandbox
def test_nothing_to_run_is_no_success(prove: Prove, hubpub: RunHubpub, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the verify extra is not installed")
    proof = prove(THREE, "--shard", "4/4", "--output-format", "text")
    assert proof.code == 1
    assert "shard 4/4 has no entrypoint: there are 3 to share out" in proof.text
    file = tmp_path / "none.json"
    done = hubpub("verify", "octo/net", "--entrypoint", "tow", "--output-format", f"json:{file}")
    assert done.returncode == 2
    assert "--entrypoint tow matches none of 3 entrypoints" in done.stderr
    assert "did you mean two" in done.stderr
    assert not file.exists()
