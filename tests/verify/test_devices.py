"""``--device``: what can be written, what is planned of it on a machine, and what is refused."""

from __future__ import annotations

import hypothesis
import pytest
from hypothesis import strategies as st

from hubpub.errors import CannotVerifyError, UsageError
from hubpub.verify import devices
from hubpub.verify.gpus import Gpu, Machine

TWO = Machine(cuda=(Gpu("cuda", 0, 0), Gpu("cuda", 1, 1)))
ONE_INTEL = Machine(xpu=(Gpu("xpu", 128),))
HIDDEN = Machine(hidden="CUDA_VISIBLE_DEVICES='-1' leaves 0 of 2")
CUDA, CPU, XPU = "2.13.0+cu126", "2.13.0+cpu", "2.13.0+xpu"


@pytest.mark.parametrize(
    "text",
    [
        *("auto", "all", "cpu", "cuda", "cuda:0", "cuda:12", "mps", "xpu", "xpu:1"),
        *("cpu,cuda", "cuda:1,cpu,cuda:0"),
    ],
)
def test_devices_that_can_be_asked_for(text: str) -> None:
    assert str(devices.read(text)) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no device"),
        ("gpu", "is no device"),
        ("CUDA", "is no device"),
        ("cuda:", "is no device"),
        ("cuda:-1", "is no device"),
        ("cuda:01", "is no device"),
        ("cuda:1000", "is no device"),
        ("cuda:\u0661", "is no device"),
        ("cpu:0", "is no device"),
        ("cpu, cuda", "is no device"),
        ("cpu,", "is no device"),
        ("cuda\n", "is no device"),
        ("auto,cpu", "stands alone"),
        ("cpu,all", "stands alone"),
        ("cpu,cpu", "twice"),
        ("cuda,cuda:0", "twice"),
        ("cuda:1,cuda:1", "twice"),
    ],
)
def test_devices_that_cannot(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        devices.read(text)


@hypothesis.given(st.text("acdlopux:,01", max_size=12) | st.text(max_size=12))
def test_whatever_is_read_is_written_the_same(text: str) -> None:
    try:
        found = devices.read(text)
    except UsageError:
        return
    assert str(found) == text
    assert len(set(found.names)) == len(found.names) > 0


def planned(text: str, machine: Machine, torch: str = CUDA) -> devices.Plan:
    return devices.built(devices.plan(devices.read(text), machine), torch)


@pytest.mark.parametrize(
    ("text", "machine", "torch", "offers"),
    [
        ("auto", Machine(), CUDA, {"cpu": None, "cuda": devices.NO_CUDA}),
        ("auto", TWO, CUDA, {"cpu": None, "cuda": None}),
        ("auto", TWO, CPU, {"cpu": None, "cuda": f"torch {CPU} is built without CUDA"}),
        ("auto", HIDDEN, CUDA, {"cpu": None, "cuda": f"{devices.NO_CUDA}: {HIDDEN.hidden}"}),
        ("auto", ONE_INTEL, XPU, {"cpu": None, "cuda": devices.NO_CUDA}),
        ("all", Machine(), CPU, {"cpu": None, "cuda": devices.NO_CUDA}),
        ("all", TWO, CUDA, {"cpu": None, "cuda:0": None, "cuda:1": None}),
        ("all", ONE_INTEL, XPU, {"cpu": None, "xpu:0": None}),
        ("all", ONE_INTEL, CUDA, {"cpu": None, "xpu:0": f"torch {CUDA} is built without XPU"}),
        ("cpu", TWO, CUDA, {"cpu": None}),
        ("cuda", TWO, CUDA, {"cuda": None}),
        ("cuda:1,cpu", TWO, CUDA, {"cuda:1": None, "cpu": None}),
        ("xpu", ONE_INTEL, XPU, {"xpu": None}),
    ],
)
def test_what_is_planned(
    text: str, machine: Machine, torch: str, offers: dict[str, str | None]
) -> None:
    plan = planned(text, machine, torch)
    assert {offer.name: offer.off for offer in plan.offers} == offers
    assert plan.names == tuple(name for name, off in offers.items() if off is None)


@pytest.mark.parametrize(
    ("text", "machine", "torch", "said", "advice"),
    [
        ("cuda", Machine(), CUDA, "cuda: no CUDA device", "/dev/nvidia0"),
        ("cuda:0", Machine(), CUDA, "cuda:0: no CUDA device", "/dev/nvidia0"),
        ("cpu,cuda", Machine(), CUDA, "cuda: no CUDA device", "/dev/nvidia0"),
        ("cuda:2", TWO, CUDA, "there are 2 here, counted from 0", "cuda:0, cuda:1"),
        ("cuda", HIDDEN, CUDA, "leaves 0 of 2", "CUDA_VISIBLE_DEVICES"),
        ("cuda", TWO, CPU, r"torch 2.13.0\+cpu is built without CUDA", "pytorch.org"),
        ("cuda:1", TWO, XPU, "built without CUDA", "pytorch.org"),
        ("xpu", TWO, CUDA, "no Intel GPU", "renderD"),
        ("xpu", ONE_INTEL, CUDA, "built without XPU", "pytorch.org"),
        ("mps", TWO, CUDA, "Metal is not on Linux", "macOS"),
    ],
)
def test_a_device_that_is_not_there_is_refused(
    text: str, machine: Machine, torch: str, said: str, advice: str
) -> None:
    with pytest.raises(CannotVerifyError, match=said) as refused:
        planned(text, machine, torch)
    assert refused.value.help is not None
    assert advice in refused.value.help


def test_all_deals_the_entrypoints_out_over_the_gpus_whatever_the_order() -> None:
    names = ["d", "b", "c", "a", "e"]
    for order in (names, sorted(names), names[::-1]):
        plan = planned("all", TWO).over(order)
        on = {name: [offer.name for offer in plan.of(name)] for name in names}
        assert on == {
            "a": ["cpu", "cuda:0"],
            "b": ["cpu", "cuda:1"],
            "c": ["cpu", "cuda:0"],
            "d": ["cpu", "cuda:1"],
            "e": ["cpu", "cuda:0"],
        }
    assert plan.lanes == 2


def test_a_gpu_that_fails_its_probe_gets_nothing_and_is_said_of_all() -> None:
    plan = planned("all", TWO).over(["a", "b"])
    first, second, third = plan.offers
    broken = devices.Plan(
        (first, devices.refused(second, "broken", None), third), spread=True, places=plan.places
    )
    for name in ("a", "b"):
        assert [(offer.name, offer.off) for offer in broken.of(name)] == [
            ("cpu", None),
            ("cuda:0", "broken"),
            ("cuda:1", None),
        ]
    assert broken.lanes == 1


def test_devices_by_name_are_each_for_every_entrypoint() -> None:
    plan = planned("cuda:0,cuda:1", TWO).over(["a", "b"])
    for name in ("a", "b"):
        assert [offer.name for offer in plan.of(name)] == ["cuda:0", "cuda:1"]
    assert plan.lanes == 1
