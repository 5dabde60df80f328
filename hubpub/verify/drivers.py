"""The driver of a GPU, tried inside the sandbox before anything of a repository may use it.

A GPU that a job without any such code cannot use is the sandbox's fault or the driver's, and no
model is called broken for it.
"""

from __future__ import annotations

from dataclasses import replace

from hubpub.errors import CannotVerifyError
from hubpub.verify.accelerator import Accelerator
from hubpub.verify.devices import Offer, Plan, refused
from hubpub.verify.events import Event, Say
from hubpub.verify.gpulock import BusyError
from hubpub.verify.gpus import Machine
from hubpub.verify.jobs import Done
from hubpub.verify.places import Places

_LOOK = (
    "does it work outside? nvidia-smi, and python -c 'import torch; print(torch.zeros(1, "
    'device="{kind}"))\'; if it does, the sandbox lacks a part of the driver: please report it, '
    "with the version of the driver; --device cpu goes on without"
)


def tried(plan: Plan, places: Places, machine: Machine, say: Say) -> Plan:
    """``plan`` with what the GPUs are, and without those that do not work in the sandbox.

    Args:
        plan: the devices of the run.
        places: of the lane that tries them.
        machine: which driver it has.
        say: told of each that works.

    Raises:
        CannotVerifyError: one does not work that the caller asked for.
    """
    offers: list[Offer] = []
    found: list[Accelerator] = []
    for offer in plan.offers:
        if offer.gpu is None or offer.off is not None:
            offers.append(offer)
            continue
        try:
            jobs = places.on(offer.gpu)
            done = jobs.run("device", device=offer.gpu.kind)
            jobs.forget(done)
            seen = judge(done, offer, machine.driver)
        except BusyError as error:
            seen = str(error)
        except CannotVerifyError as error:
            seen = f"no sandbox with it can be started: {error.message}"
        if isinstance(seen, str):
            offers.append(refused(offer, seen, _LOOK.format(kind=offer.gpu.kind)))
            continue
        found.append(seen)
        offers.append(offer)
        say(Event("device", f"{offer.name} is {seen.name or 'a device without a name'}"))
    return replace(plan, offers=tuple(offers), accelerators=tuple(found))


def judge(done: Done, offer: Offer, driver: str | None) -> Accelerator | str:
    """What the probe says the device is, or why it is not to be used."""
    claims = done.claims or {}
    seen = claims.get("accelerator")
    if done.facts.ended == "exit" and done.facts.exit == 0 and isinstance(seen, dict):
        nvidia = driver if offer.gpu is not None and offer.gpu.kind == "cuda" else None
        return Accelerator(
            offer.name,
            seen.get("name"),
            seen.get("capability"),
            nvidia,
            seen.get("runtime"),
            seen.get("total_bytes"),
        )
    error = claims.get("error")
    if isinstance(error, dict):
        why = f"{error.get('type')}: {error.get('message')}"
    elif done.facts.ended == "exit":
        why = f"the probe left with status {done.facts.exit}"
    else:
        why = f"the probe was ended: {done.facts.ended} {done.facts.signal or ''}".strip()
    return f"it does not work in the sandbox, without any code of the repository: {why}"
