"""Which GPUs a machine shows, on file trees that the tests write; which of them the caller may use.

What torch itself makes of ``CUDA_VISIBLE_DEVICES`` is the judge where it can be asked without one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st

from hubpub.verify.gpus import Gpu, Machine, machine, visible

UUIDS = (
    "GPU-aaaa1111-0000-0000-0000-000000000000",
    "GPU-bbbb2222-0000-0000-0000-000000000000",
    "GPU-bbbb3333-0000-0000-0000-000000000000",
)
THREE = tuple(Gpu("cuda", number, number, UUIDS[number]) for number in range(3))
UNKNOWN = "GPU-????????-????-????-????-????????????"
MIG = "MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f"


def nvidia(
    root: Path, *gpus: tuple[int, str, str], told: bool = True, model: str = "NVIDIA T1000"
) -> Path:
    """A root with these GPUs: number of the device node, place on the bus, UUID."""
    (root / "dev").mkdir(parents=True, exist_ok=True)
    for name in ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset"):
        (root / "dev" / name).touch()
    for number, bus, uuid in gpus:
        (root / "dev" / f"nvidia{number}").touch()
        folder = root / "proc/driver/nvidia/gpus" / bus
        if told:
            folder.mkdir(parents=True)
            (folder / "information").write_text(
                f"Model: \t\t {model}\nIRQ:   \t\t 16\nGPU UUID: \t {uuid}\n"
                f"Bus Location: \t {bus}\nDevice Minor: \t {number}\nGPU Excluded:\t No\n"
            )
    return root


def numbers(found: Sequence[Gpu]) -> list[int | None]:
    return [gpu.number for gpu in found]


@pytest.mark.parametrize(
    ("spec", "left"),
    [
        ("0", [0]),
        ("1,0", [1, 0]),
        ("2", [2]),
        (" 1 , 2 ", [1, 2]),
        ("", []),
        ("-1", []),
        ("0,-1,1", [0]),
        ("0,7,1", [0]),
        ("3", []),
        ("0,0", []),
        ("0,1,0", []),
        ("1gpu,2x", [1, 2]),
        ("+1", [1]),
        ("none", []),
        ("NoDevFiles", []),
        ("0,x,1", [0]),
        ("0.5,1", [0, 1]),
        ("GPU-a", [0]),
        (UUIDS[2], [2]),
        (f"{UUIDS[2]},{UUIDS[0]}", [2, 0]),
        ("GPU-bbbb", []),  # of two
        ("GPU-bbbb2,GPU-a", [1, 0]),
        ("GPU-a,GPU-aaaa", []),  # one, twice
        ("GPU-a,GPU-a", []),
        ("GPU-a,nonsense,GPU-bbbb2", [0]),
        ("GPU-a,1", [0]),
        ("GPU-cccc", []),
        ("0,GPU-a", [0]),
    ],
)
def test_what_cuda_visible_devices_leaves(spec: str, left: list[int]) -> None:
    assert numbers(visible(spec, THREE)) == left


@pytest.mark.parametrize(
    ("spec", "present", "uuids"),
    [
        (MIG, THREE, [MIG]),
        (f"{MIG},MIG-11", THREE, [MIG, "MIG-11"]),
        (f"{MIG},{MIG}", THREE, []),
        (f"MIG-{UUIDS[0]}/1/0", THREE, [f"MIG-{UUIDS[0]}/1/0"]),
        (f"{MIG},GPU-aaaa", THREE, [MIG]),
        ("MIG-$(x)", THREE, []),
        (MIG, (), []),
        ("GPU-aaaa", (Gpu("cuda", 0),), ["GPU-aaaa"]),
        ("GPU-aaaa;", (Gpu("cuda", 0),), []),
    ],
)
def test_what_the_driver_alone_knows_is_handed_on(
    spec: str, present: tuple[Gpu, ...], uuids: list[str]
) -> None:
    found = visible(spec, present)
    assert [gpu.uuid for gpu in found] == uuids
    assert all(gpu.number is None and "/" not in gpu.key for gpu in found)


ITEMS = st.one_of(
    st.integers(-2, 4).map(str),
    st.sampled_from([*UUIDS, "GPU-a", "GPU-bbbb", "GPU-bbbb3", "GPU-", "", " 1", "1x", "x1", "+2"]),
    st.text("01-+ x,GPU", max_size=6),
)


@hypothesis.given(st.lists(ITEMS, max_size=5).map(",".join))
@hypothesis.example("0,1,2")
@hypothesis.example("1+")
def test_torch_reads_it_the_same_way(spec: str) -> None:
    cuda = pytest.importorskip("torch", reason="the verify extra is not installed").cuda
    patch = pytest.MonkeyPatch()
    with patch.context() as context:
        context.setenv("CUDA_VISIBLE_DEVICES", spec)
        try:
            found = cuda._parse_visible_devices()
        except ValueError:
            return  # torch itself fails on "+"
    if found and isinstance(found[0], str):
        found = cuda._transform_uuid_to_ordinals(found, list(UUIDS))
    left = []
    for number in found:
        if number >= len(THREE):
            break
        left.append(number)
    assert numbers(visible(spec, THREE)) == left


@hypothesis.given(st.text(max_size=40), st.integers(0, 3))
def test_any_text_leaves_some_of_what_is_there_each_once(spec: str, count: int) -> None:
    found = visible(spec, THREE[:count])
    assert len(set(found)) == len(found) <= max(count, spec.count(",") + 1)
    assert all(gpu in THREE or gpu.number is None for gpu in found)


def test_a_machine_without_a_gpu_shows_none(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "nvidia-uvm").touch()  # a module that was loaded once
    assert machine({}, tmp_path) == Machine()
    assert machine({"CUDA_VISIBLE_DEVICES": "0"}, tmp_path) == Machine()


def test_gpus_are_counted_by_their_place_on_the_bus(tmp_path: Path) -> None:
    nvidia(tmp_path, (0, "0000:81:00.0", UUIDS[0]), (1, "0000:3b:00.0", UUIDS[1]))
    (tmp_path / "sys/module/nvidia").mkdir(parents=True)
    (tmp_path / "sys/module/nvidia/version").write_text("550.54.15\n")
    found = machine({}, tmp_path)
    assert [(gpu.number, gpu.position, gpu.uuid) for gpu in found.cuda] == [
        (1, 0, UUIDS[1]),
        (0, 1, UUIDS[0]),
    ]
    assert found.cuda[0].name == "NVIDIA T1000"
    assert (found.driver, found.hidden, found.has_gpu) == ("550.54.15", None, True)


def test_the_caller_s_variable_counts_and_is_said(tmp_path: Path) -> None:
    nvidia(tmp_path, (0, "0000:3b:00.0", UUIDS[0]), (1, "0000:81:00.0", UUIDS[1]))
    one = machine({"CUDA_VISIBLE_DEVICES": "1"}, tmp_path)
    assert numbers(one.cuda) == [1]
    assert one.hidden == "CUDA_VISIBLE_DEVICES='1' leaves 1 of 2"
    none = machine({"CUDA_VISIBLE_DEVICES": "-1"}, tmp_path)
    assert (none.cuda, none.has_gpu) == ((), True)


def test_a_gpu_that_nobody_has_used_yet_has_no_uuid(tmp_path: Path) -> None:
    nvidia(tmp_path, (0, "0000:3b:00.0", UNKNOWN), (3, "0000:5e:00.0", UNKNOWN))
    (_, last) = machine({}, tmp_path).cuda
    assert last.uuid is None
    # In a sandbox that shows it alone it is the first; where all are seen, the second.
    assert last.variables(alone=True)["CUDA_VISIBLE_DEVICES"] == "0"
    assert last.variables(alone=False) == {
        "CUDA_VISIBLE_DEVICES": "1",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
    }


def test_a_uuid_names_a_gpu_wherever_it_is_seen() -> None:
    for alone in (True, False):
        assert THREE[2].variables(alone=alone)["CUDA_VISIBLE_DEVICES"] == UUIDS[2]


def test_a_sandbox_shows_one_gpu_and_what_all_share(tmp_path: Path) -> None:
    nvidia(tmp_path, (0, "a", UUIDS[0]), (1, "b", UUIDS[1]), (10, "c", UUIDS[2]), told=False)
    found = machine({}, tmp_path).cuda
    assert numbers(found) == [0, 1, 10]
    shown = {mount.target for mount in found[1].mounts(tmp_path) if mount.device}
    shared = {"nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset"}
    assert shown == {f"/dev/{name}" for name in shared | {"nvidia1"}}
    every = {mount.target for mount in Gpu("cuda", None, 0, MIG).mounts(tmp_path) if mount.device}
    assert every == shown | {"/dev/nvidia0", "/dev/nvidia10"}


def test_intel_gpus_are_render_nodes_of_intel(tmp_path: Path) -> None:
    for number, vendor in ((128, "0x10de"), (129, "0x8086"), (130, "0x8086")):
        (tmp_path / "dev/dri").mkdir(parents=True, exist_ok=True)
        (tmp_path / "dev/dri" / f"renderD{number}").touch()
        folder = tmp_path / "sys/class/drm" / f"renderD{number}" / "device"
        folder.mkdir(parents=True)
        (folder / "vendor").write_text(f"{vendor}\n")
    found = machine({}, tmp_path).xpu
    assert numbers(found) == [129, 130]
    assert found[1].variables(alone=True) == {
        "CUDA_VISIBLE_DEVICES": "",
        "ZE_AFFINITY_MASK": "0",
    }
    assert found[1].mounts()[0].source == "/dev/dri/renderD130"
    assert found[0].key != found[1].key
