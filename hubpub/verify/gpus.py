"""Which GPUs this machine shows, read from its file system: no driver is asked, no device opened.

``/dev/nvidiaN`` are the devices, ``/proc/driver/nvidia/gpus/*/information`` says what they are.
``CUDA_VISIBLE_DEVICES`` of the caller narrows and orders them as the driver and torch read it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hubpub.verify.sandbox import command

VISIBLE = "CUDA_VISIBLE_DEVICES"
HIDING = (VISIBLE, "ZE_AFFINITY_MASK")
"""The variables that hide every GPU from a process when they are empty."""
_INTEL = "0x8086"
_MOST_BYTES = 1 << 16
_UUID = re.compile(r"(GPU|MIG)-[0-9A-Za-z/-]+")


@dataclass(frozen=True)
class Gpu:
    """One device. ``kind`` is what torch calls it: cuda or xpu.

    ``number`` is of its device node (``/dev/nvidiaN``, ``/dev/dri/renderDN``), None where only the
    driver knows it: a part of a GPU (MIG), a UUID that /proc does not name. ``uuid`` as the driver
    has it, None where /proc hides it. ``position`` is its place among all of its kind here.
    """

    kind: str
    number: int | None
    position: int = 0
    uuid: str | None = None
    name: str | None = None

    @property
    def key(self) -> str:
        """What two processes of this machine both call it, for a lock."""
        if self.number is not None:
            return f"{self.kind}{self.number}"
        return re.sub(r"[^0-9A-Za-z-]", "_", str(self.uuid))

    def mounts(self, root: Path = Path("/")) -> tuple[command.Mount, ...]:
        """What a sandbox shows so that its jobs can use this GPU, and no other where possible."""
        if self.kind == "cuda":
            return command.nvidia_mounts(root, only=self.number)
        return command.intel_mounts(self.number)

    def variables(self, *, alone: bool) -> dict[str, str]:
        """The variables with which a job's torch sees this GPU only, as its first.

        Args:
            alone: whether the job's sandbox shows no other GPU, so that this one is number 0.
        """
        place = "0" if alone and self.number is not None else str(self.position)
        if self.kind != "cuda":
            return {VISIBLE: "", "ZE_AFFINITY_MASK": place}
        return {VISIBLE: self.uuid or place, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


@dataclass(frozen=True)
class Machine:
    """The GPUs that the caller may use, in the order in which torch would count them.

    ``hidden`` says what hides others, and ``driver`` the version of NVIDIA's, None without one.
    """

    cuda: tuple[Gpu, ...] = ()
    xpu: tuple[Gpu, ...] = ()
    hidden: str | None = None
    driver: str | None = None

    @property
    def has_gpu(self) -> bool:
        """Whether a job on the CPU could reach one where its sandbox does not hide it."""
        return bool(self.cuda or self.xpu or self.hidden)


def machine(variables: Mapping[str, str], root: Path = Path("/")) -> Machine:
    """What this machine shows to somebody with these environment variables."""
    present = _nvidia(root)
    spec = variables.get(VISIBLE)
    cuda = present if spec is None else visible(spec, present)
    hidden = None
    if spec is not None and len(cuda) < len(present):
        hidden = f"{VISIBLE}={spec[:100]!r} leaves {len(cuda)} of {len(present)}"
    return Machine(cuda, _intel(root), hidden, _driver(root))


def visible(spec: str, present: Sequence[Gpu]) -> tuple[Gpu, ...]:
    """The GPUs of ``present`` that ``CUDA_VISIBLE_DEVICES=spec`` leaves, in its order.

    As ``torch.cuda._parse_visible_devices`` and the driver: numbers, or UUIDs that may be cut
    short; what is not there ends the list, what stands twice empties it.
    """
    if spec.startswith(("GPU-", "MIG-")):
        return _named(spec, present)
    numbers: list[int] = []
    for text in spec.split(","):
        found = re.match(r"[+-]?\d+", text.strip(), re.ASCII)
        number = int(found.group()) if found else -1
        if number in numbers:
            return ()
        if number < 0:
            break
        numbers.append(number)
    chosen: list[Gpu] = []
    for number in numbers:
        if number >= len(present):
            break
        chosen.append(present[number])
    return tuple(chosen)


def _named(spec: str, present: Sequence[Gpu]) -> tuple[Gpu, ...]:
    """Those of a list of UUIDs. What /proc does not name is handed on: the driver knows it."""
    prefix, names = spec[:4], list[str]()
    for name in spec.split(","):
        if name in names:
            return ()
        if not name.startswith(prefix):
            break
        names.append(name)
    every = all(gpu.uuid for gpu in present)
    chosen: list[Gpu] = []
    for name in names:
        same = [gpu for gpu in present if gpu.uuid and gpu.uuid.startswith(name)]
        if len(same) == 1:
            if same[0] in chosen:
                return ()
            chosen.append(same[0])
        elif present and not same and _UUID.fullmatch(name) and (prefix == "MIG-" or not every):
            chosen.append(Gpu("cuda", None, len(chosen), name))
        else:
            break
    return tuple(chosen)


def _nvidia(root: Path) -> tuple[Gpu, ...]:
    """Every NVIDIA GPU with a device node, in the order of their places on the bus."""
    numbers = {
        int(node.name.removeprefix("nvidia"))
        for node in (root / "dev").glob("nvidia[0-9]*")
        if node.name.removeprefix("nvidia").isdecimal()
    }
    told = _told(root)
    last = "~"  # after every place on a bus
    order = sorted(numbers, key=lambda number: (told.get(number, (last,))[0], number))
    found = []
    for position, number in enumerate(order):
        _, uuid, name = told.get(number, (last, None, None))
        found.append(Gpu("cuda", number, position, uuid, name))
    return tuple(found)


def _told(root: Path) -> dict[int, tuple[str, str | None, str | None]]:
    """Of each number of a device node: its place on the bus, UUID and model."""
    found = {}
    for file in sorted((root / "proc/driver/nvidia/gpus").glob("*/information")):
        fields = dict(re.findall(r"(?m)^([\w ]+):[ \t]*(.*?)[ \t]*$", _text(file)))
        minor = fields.get("Device Minor", "")
        if minor.isdecimal():
            uuid = fields.get("GPU UUID", "")  # question marks before the driver is first used
            known = uuid if _UUID.fullmatch(uuid) else None
            found[int(minor)] = (file.parent.name, known, fields.get("Model") or None)
    return found


def _intel(root: Path) -> tuple[Gpu, ...]:
    """Intel's GPUs: render nodes whose vendor is Intel."""
    numbers = [
        int(node.name.removeprefix("renderD"))
        for node in (root / "dev/dri").glob("renderD[0-9]*")
        if node.name.removeprefix("renderD").isdecimal()
        and _text(root / "sys/class/drm" / node.name / "device/vendor").strip() == _INTEL
    ]
    return tuple(Gpu("xpu", number, position) for position, number in enumerate(sorted(numbers)))


def _driver(root: Path) -> str | None:
    return _text(root / "sys/module/nvidia/version").strip() or None


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
