"""Which devices a run is to prove on, as ``--device`` says, and which of them are there.

A release is proven on *a* GPU: with ``all`` each entrypoint runs on the CPU and on one GPU, and the
entrypoints are dealt out over the GPUs by their place in the list, so that the same release on the
same machine gives the same report, whatever lane, shard or resumed run it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from hubpub.errors import CannotVerifyError, UsageError
from hubpub.verify.accelerator import Accelerator
from hubpub.verify.gpus import VISIBLE, Gpu, Machine

NO_CUDA = "no CUDA device on this machine"
_NAME = re.compile(r"(cuda|xpu|mps)(?::(0|[1-9][0-9]{0,2}))?", re.ASCII)
_LOOKED = {
    "cuda": "looked for /dev/nvidia0, /dev/nvidia1, ...: see nvidia-smi; a container must be given "
    "the GPU (docker run --gpus all); --device auto takes a GPU only where there is one",
    "xpu": "looked for /dev/dri/renderD* of Intel, which a user of the group render may open; "
    "--device auto runs on the CPU",
    "mps": "Metal is on macOS alone, where hubpub has no sandbox for a stranger's code, and a "
    "container there does not reach it: try the model by hand with torch.hub.load(...).to('mps')",
}


@dataclass(frozen=True)
class Wanted:
    """What ``--device`` asks for: ``auto``, ``all``, or names such as cpu, cuda, cuda:1."""

    names: tuple[str, ...] = ("auto",)

    def __str__(self) -> str:
        return ",".join(self.names)


def read(text: str) -> Wanted:
    """``--device`` as it is written: names with commas between them.

    Raises:
        UsageError: a name that is none, two of one device, ``auto`` or ``all`` beside others.
    """
    names = tuple(text.split(","))
    for name in names:
        if name in {"auto", "all"} and len(names) > 1:
            raise UsageError(f"--device {text}: {name} stands alone")
        if name not in {"auto", "all", "cpu"} and not _NAME.fullmatch(name):
            raise UsageError(
                f"--device {name!r} is no device",
                help="one of auto, cpu, cuda, cuda:N, all, xpu, xpu:N, mps; cpu,cuda:1 is two",
            )
    same = [name.removesuffix(":0") for name in names]
    if len(set(same)) < len(same):
        raise UsageError(f"--device {text} names a device twice")
    return Wanted(names)


@dataclass(frozen=True)
class Offer:
    """One device of a run, as the results call it; ``off`` is why it is skipped, if it is."""

    name: str
    gpu: Gpu | None = None
    off: str | None = None
    asked: bool = False
    """Whether the caller named it, so that a run without it is none."""


@dataclass(frozen=True)
class Plan:
    """The devices of a run. ``spread``: an entrypoint runs on one of the GPUs, not on each.

    ``places`` are the names of all entrypoints in the report's order, by which they are dealt out.
    """

    offers: tuple[Offer, ...]
    spread: bool = False
    places: tuple[str, ...] = ()
    accelerators: tuple[Accelerator, ...] = field(default=())
    """What the probes of the GPUs saw."""

    @property
    def names(self) -> tuple[str, ...]:
        """Those that run."""
        return tuple(offer.name for offer in self.offers if offer.off is None)

    @property
    def gpus(self) -> tuple[Offer, ...]:
        """Those that run on a GPU."""
        return tuple(offer for offer in self.offers if offer.gpu and offer.off is None)

    def over(self, names: Iterable[str]) -> Plan:
        """With the entrypoints that there are."""
        return replace(self, places=tuple(sorted(names)))

    def of(self, entrypoint: str) -> tuple[Offer, ...]:
        """The devices that this entrypoint is run on, and those that are skipped."""
        gpus = self.gpus
        if not self.spread or len(gpus) < 2:
            return self.offers
        place = self.places.index(entrypoint) if entrypoint in self.places else 0
        mine = gpus[place % len(gpus)]
        return tuple(offer for offer in self.offers if offer not in gpus or offer == mine)

    @property
    def lanes(self) -> int:
        """How many entrypoints at a time keep every GPU at work."""
        return max(1, len(self.gpus)) if self.spread else 1


def plan(wanted: Wanted, machine: Machine) -> Plan:
    """What of ``wanted`` can run on this machine, as far as its device nodes tell.

    Raises:
        CannotVerifyError: a device is asked for that is not there.
    """
    if wanted.names == ("auto",):
        return Plan((Offer("cpu"), _first(machine)))
    if wanted.names == ("all",):
        every = [Offer(f"cuda:{number}", gpu) for number, gpu in enumerate(machine.cuda)]
        every += [Offer(f"xpu:{number}", gpu) for number, gpu in enumerate(machine.xpu)]
        return Plan((Offer("cpu"), *(every or [_first(machine)])), spread=True)
    return Plan(tuple(_named(name, machine) for name in wanted.names))


def built(planned: Plan, torch: str) -> Plan:
    """``planned`` without what this build of torch cannot use.

    Args:
        planned: what the machine has.
        torch: its version: ``2.13.0+cpu`` is built without CUDA, ``2.13.0+xpu`` for Intel's.

    Raises:
        CannotVerifyError: a device is asked for that it cannot use.
    """
    return replace(planned, offers=tuple(_built(offer, torch) for offer in planned.offers))


def refused(offer: Offer, why: str, help_: str | None) -> Offer:
    """``offer``, which cannot run.

    Raises:
        CannotVerifyError: the caller asked for it by name.
    """
    if offer.asked:
        raise CannotVerifyError(f"--device {offer.name}: {why}", help=help_)
    return replace(offer, off=why)


def _first(machine: Machine) -> Offer:
    """The first CUDA device, or why there is none."""
    gpu = next(iter(machine.cuda), None)
    return Offer("cuda", gpu, None if gpu else _absent(machine))


def _absent(machine: Machine) -> str:
    return f"{NO_CUDA}: {machine.hidden}" if machine.hidden else NO_CUDA


def _named(name: str, machine: Machine) -> Offer:
    if name == "cpu":
        return Offer(name)
    kind, _, number = name.partition(":")
    there: Sequence[Gpu] = {"cuda": machine.cuda, "xpu": machine.xpu}.get(kind, ())
    if int(number or 0) < len(there):
        return Offer(name, there[int(number or 0)], asked=True)
    if there:
        why = f"there are {len(there)} here, counted from 0"
        why += f" ({machine.hidden})" if kind == "cuda" and machine.hidden else ""
        raise CannotVerifyError(f"--device {name}: {why}", help=f"one of {_few(kind, there)}")
    none = {"cuda": _absent(machine), "xpu": "no Intel GPU on this machine"}
    why = none.get(kind, "Metal is not on Linux")
    look = f"set {VISIBLE} to show one" if kind == "cuda" and machine.hidden else _LOOKED[kind]
    raise CannotVerifyError(f"--device {name}: {why}", help=look)


def _few(kind: str, there: Sequence[Gpu]) -> str:
    return ", ".join(f"{kind}:{number}" for number in range(len(there))[:8])


def _built(offer: Offer, torch: str) -> Offer:
    if offer.gpu is None or offer.off is not None:
        return offer
    build = torch.partition("+")[2]
    what = {"cuda": "CUDA", "xpu": "XPU"}[offer.gpu.kind]
    if build == "cpu" or (offer.gpu.kind == "xpu") != (build == "xpu"):
        text = f"torch {torch} is built without {what}"
        return refused(offer, text, "install a build for the device: https://pytorch.org")
    return offer
