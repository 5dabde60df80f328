"""Names of checkpoints, and what the loader's own expression reads in them."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hubpub.rules.cached import is_stamp
from hubpub.source.facts import HASH_REGEX
from hubpub.stamping.naming import split, stamped

SHA = "0a1b2c3d" + "4e5f6071" * 7
P = SHA[:8]

NAMES = [
    # name, what becomes of it
    ("model.pth", f"model-{P}.pth"),
    ("resnet-50.v1.pth", f"resnet_50.v1-{P}.pth"),
    ("unet-2.0.pth", f"unet_2.0-{P}.pth"),
    ("a-1-b-2.0-3.c.pth", f"a-1-b_2.0_3.c-{P}.pth"),
    ("bert-base.tar.gz", f"bert-base-{P}.tar.gz"),
    ("net.pth.tar", f"net-{P}.pth.tar"),
    ("net.v2.pth.tar.gz", f"net.v2-{P}.pth.tar.gz"),
    ("model-abc.pth", f"model-abc-{P}.pth"),
    ("ViT-B-32.pt", f"ViT-B-32-{P}.pt"),
    ("dead-beef.pth", f"dead-beef-{P}.pth"),
    ("m-cafe.x.pth", f"m_cafe.x-{P}.pth"),
    ("x-.pth", f"x-{P}.pth"),
    ("-.pth", f"_-{P}.pth"),
    ("-1.pth", f"-1-{P}.pth"),
    ("--.-.pth", f"-_.-{P}.pth"),
    # a right stamp
    (f"m-{P}.pth", f"m-{P}.pth"),
    (f"m-{SHA}.pth", f"m-{SHA}.pth"),
    (f"m-{P}.v2.pth", f"m-{P}.v2.pth"),
    (f"yolo-v5.1-{P}.pth", f"yolo-v5.1-{P}.pth"),
    # a right stamp that the loader does not read
    (f"tiny-1.0-{P}.pth", f"tiny_1.0-{P}.pth"),
    (f"m_{P}.pth", f"m-{P}.pth"),
    (f"m.{P}.pth", f"m-{P}.pth"),
    (f"m-{P.upper()}.pth", f"m-{P}.pth"),
    (f"m-{P}", f"m-{P}.pth"),
    (f"m-{P[:7]}.pth", f"m-{P[:7]}-{P}.pth"),
    # a stamp of something else
    ("m-f37072fd.pth", f"m-{P}.pth"),
    ("m-f37072fd.pth.tar", f"m-{P}.pth.tar"),
    ("m-f37072fd.v2.pth", f"m-{P}.v2.pth"),
    ("resnet-50.v1-f37072fd.pth", f"resnet_50.v1-{P}.pth"),
    ("m-f37072fd", f"m-{P}.pth"),
    ("m-f37072fd.", f"m-{P}.pth"),
    ("m-f37072fd-ema.pth", f"m-f37072fd-ema-{P}.pth"),
    ("m_f37072fd.pth", f"m_f37072fd-{P}.pth"),
    ("m-F37072FD.pth", f"m-F37072FD-{P}.pth"),
    # what only looks like a stamp
    ("m-20240131.pth", f"m-20240131-{P}.pth"),
    ("m-20240131.1.pth", f"m_20240131.1-{P}.pth"),
    ("m-2024-01-31.pth", f"m-2024-01-31-{P}.pth"),
    ("steps-10000000.pth", f"steps-10000000-{P}.pth"),
    # no suffix, or what is none
    ("model", f"model-{P}.pth"),
    ("unet-2.0", f"unet_2.0-{P}.pth"),
    ("model.", f"model-{P}.pth"),
    ("...", f"_-{P}.pth"),
    (".pth", f".pth-{P}.pth"),
    ("..pth", f"..pth-{P}.pth"),
    ("archive.7z", f"archive-{P}.7z"),
    ("net.PTH", f"net-{P}.PTH"),
    ("net.safetensors", f"net-{P}.safetensors"),
    # special characters: GitHub puts full stops in their place
    ("my net-1 final.pth", f"my net_1 final-{P}.pth"),
    ("größe-3é.pth", f"größe_3é-{P}.pth"),
    ("模型-2.0.pth", f"模型_2.0-{P}.pth"),
    ("a\nb-7\n.pth", f"a\nb_7\n-{P}.pth"),
    ("b\udcff-e\udcff.pth", f"b\udcff_e\udcff-{P}.pth"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "new"), NAMES)
def test_a_name(name: str, new: str) -> None:
    assert stamped(name, SHA).name == new


@pytest.mark.parametrize("new", [new for _, new in NAMES])
def test_a_stamped_name_stays(new: str) -> None:
    found = stamped(new, SHA)
    assert (found.name, found.right) == (new, True)


PIECES = st.sampled_from(
    ["-", ".", "_", "--", ".0", "-50", "-abc", "-deadbeef", "-20240131", f"-{P}", f"-{SHA}",
     "-F37072FD", "model", "v1", ".pth", ".tar", ".gz", ".PT", " ", "é",
     "\udcff", "\n", "%20", "0", "e"]
)  # fmt: skip
FILE_NAMES = st.one_of(
    st.lists(PIECES, min_size=1, max_size=9).map("".join),
    st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=40),
    st.text("-.0a", min_size=1, max_size=12),
)
DIGESTS = st.one_of(st.just(SHA), st.text("0123456789abcdef", min_size=64, max_size=64))


@given(FILE_NAMES, DIGESTS, st.integers(8, 64))
@example("x-.pth", SHA, 8)
@example("m-f37072fd.", SHA, 8)
def test_the_loader_reads_the_stamp_of_any_name(name: str, sha256: str, digits: int) -> None:
    found = stamped(name, sha256, digits)
    for published in (found.name, re.sub(r"[^A-Za-z0-9._-]", ".", found.name)):
        match = HASH_REGEX.search(published)
        assert match is not None
        assert sha256.startswith(match.group(1))
        assert len(match.group(1)) >= digits
    assert found.right or is_stamp(found.name[found.begin : found.end]) or sha256.isdigit()
    assert found.right or found.end - found.begin == digits or not is_stamp(sha256[:digits])
    assert sha256.startswith(found.name[found.begin : found.end])
    again = stamped(found.name, sha256, digits)
    assert (again.name, again.right) == (found.name, True)
    # Another content under the same name takes the stamp's place, and the old one is told.
    other = sha256[::-1]
    if other[:8] != sha256[:8]:
        match = HASH_REGEX.search(stamped(found.name, other, digits).name)
        assert match is not None
        assert other.startswith(match.group(1))


@given(FILE_NAMES)
def test_only_dashes_and_ends_of_a_name_change(name: str) -> None:
    found = stamped(name, SHA)
    if found.replaced is None and not found.right:
        head, tail = found.around
        assert name.replace("-", "_").startswith(head.replace("-", "_").rstrip("_"))
        assert found.suffix == tail or name.endswith(tail)


@pytest.mark.parametrize(
    ("name", "misread", "replaced", "suffix", "special"),
    [
        ("unet-2.0.pth", ("-2.",), None, "", ""),
        ("a-1.b-2.c.pth", ("-1.", "-2."), None, "", ""),
        ("m-cafebabe.pth", (), "cafebabe", "", ""),
        (f"m-{P.upper()}.pth", (), None, "", ""),
        ("my net", (), None, ".pth", " "),
        ("a+b (1).pth", (), None, "", " ()+"),
    ],
)
def test_what_changed_is_told(
    name: str, misread: tuple[str, ...], replaced: str | None, suffix: str, special: str
) -> None:
    found = stamped(name, SHA)
    assert (found.misread, found.replaced, found.suffix, found.special) == (
        misread, replaced, suffix, special,
    )  # fmt: skip


def test_a_stamp_that_looks_like_a_date_is_longer() -> None:
    sha256 = f"20240131{SHA[8:]}"
    assert stamped("m.pth", sha256).name == f"m-{sha256[:9]}.pth"
    assert stamped("m.pth", f"12345000{SHA[8:]}").name == "m-123450004.pth"


def test_more_digits_are_put_in_place() -> None:
    assert stamped(f"m-{P}.pth", SHA, 16).name == f"m-{SHA[:16]}.pth"
    assert stamped(f"m-{SHA[:16]}.pth", SHA, 8).right


@pytest.mark.parametrize(("sha256", "digits"), [(SHA, 7), (SHA, 65), (SHA.upper(), 8), (P, 8)])
def test_what_is_no_stamp_is_refused(sha256: str, digits: int) -> None:
    with pytest.raises(ValueError, match="digits"):
        stamped("m.pth", sha256, digits)


def test_a_suffix_can_be_chosen() -> None:
    assert stamped("model", SHA, suffix=".safetensors").name == f"model-{P}.safetensors"


@pytest.mark.parametrize(
    ("name", "stem", "suffix"),
    [
        ("a.b.c", "a.b", ".c"),
        ("a.tar.gz", "a", ".tar.gz"),
        (".tar.gz", ".tar", ".gz"),
        ("a", "a", ""),
    ],
)
def test_suffixes(name: str, stem: str, suffix: str) -> None:
    assert split(name) == (stem, suffix)
