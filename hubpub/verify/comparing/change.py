"""What a comparison of two reports comes to, and every kind of change that it knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]
"""A report as :func:`hubpub.verify.reportfile.read` gives it."""

ERROR, WARNING, NOTE = SEVERITIES = ("error", "warning", "note")
SAME = "same"
"""The status of a comparison that found no change; else it is the worst severity."""


@dataclass(frozen=True)
class Kind:
    """One kind of change. ``severity`` None: that of the finding which is new."""

    name: str
    severity: str | None
    says: str
    help: str


_PUT_BACK = (
    "put the old file back, and the new one behind another URL with a stamp (hubpub stamp): "
)
_SEE = "hubpub report on NEW says where, and what to do"
_ROWS = (
    ("nothing-compared", ERROR, "no result stands in both reports",
     "compare runs that came to the same entrypoints: hubpub report FILE shows each"),
    ("tag-moved", ERROR, "the same tag is another commit",
     "put the tag back, and release under a new one: whoever pinned it gets other code"),
    ("checkpoint-replaced", ERROR, "the same URL gives other weights",
     f"{_PUT_BACK}users of every tag that names this one get other weights unasked"),
    ("checkpoint-drifted", ERROR, "the same commit takes other weights from elsewhere",
     "the code asks somebody else what to load: pin a revision, or name one URL and stamp it"),
    ("cannot-list", ERROR, "torch.hub.list worked and fails now",
     "nobody can load anything: mend hubconf.py; hubpub report on NEW says where"),
    ("entrypoint-gone", ERROR, "an entrypoint is no longer there",
     "keep the name, as a function that calls the new one, or release it as a breaking change"),
    ("no-longer-loads", ERROR, "what loaded does not load now",
     "mend it before NEW is released: whoever moves from OLD meets it"),
    ("new-fails", ERROR, "a new entrypoint fails in what decides",
     "mend it, or take its name away until it does: who sees it in torch.hub.list will try it"),
    ("weights-gone", ERROR, "a case that used weights loads without any now",
     "is it random now? load the weights again, or release it as a breaking change"),
    ("now-fails", ERROR, "an axis fails that decides, and did not fail",
     _SEE),
    ("newly-unsafe", ERROR, "weights that weights_only refuses or that unpickle more than before",
     "save a state_dict of plain tensors with torch.save, under a new name"),
    ("lock-broken", ERROR, "the run is not as hubpub.lock has it",
     "hubpub verify --locked lists each difference; --write-lock after you have judged it"),
    ("finding-new", None, "a finding that was not there", "hubpub rule CODE explains it"),
    ("case-gone", WARNING, "a case is no longer tried",
     "was its parameter taken away, which breaks its callers, or its declaration?"),
    ("device-gone", WARNING, "a device is no longer tried",
     "run NEW on a machine that has it, or compare runs with the same --device"),
    ("proof-lost", WARNING, "an axis that passed is skipped now",
     "its reason says what is missing: a release without this proof has less than the last one"),
    ("optional-now-fails", WARNING, "an axis fails that does not decide, and did not fail",
     _SEE),
    ("stamp-lost", WARNING, "weights whose stamp matched have none that does",
     "hubpub stamp names the file so that check_hash can hold users to it"),
    ("lock-unchecked", WARNING, "OLD was held against hubpub.lock, and NEW was not",
     "run it with --locked"),
    ("slower", WARNING, "a load takes longer",
     "run both again on one quiet machine; if it stays, look at what the load does now"),
    ("heavier", WARNING, "a load takes more memory at its peak",
     "torch.load(..., mmap=True) and assign=True keep weights from being there twice"),
    ("larger", WARNING, "there is more to download, or the weights are larger",
     "was it meant? float16 weights and files without optimizer state are smaller"),
    ("host-new", WARNING, "the code asks a host that it did not ask",
     "say it in the release notes: users behind a firewall have to allow it"),
    ("claim-changed", WARNING, "the code claims to be another model",
     "is it another architecture? then a new name lets users of the old one keep theirs"),
    ("entrypoint-new", NOTE, "a new entrypoint", ""),
    ("case-new", NOTE, "a case that was not tried", ""),
    ("device-new", NOTE, "a device that was not tried", ""),
    ("checkpoint-new", NOTE, "weights that were not used", ""),
    ("checkpoint-gone", NOTE, "weights that are no longer used",
     "leave the file where it is: earlier tags still ask for it"),
    ("checkpoint-changed", NOTE, "other weights, under another URL or in the tree", ""),
    ("checkpoint-renamed", NOTE, "the same weights under another name", ""),
    ("checkpoint-moved", NOTE, "the same weights from another place",
     "leave the file at the old place too: earlier tags still ask for it"),
    ("format-changed", NOTE, "weights in another format", ""),
    ("stamp-gained", NOTE, "weights that have a stamp now", ""),
    ("safer", NOTE, "weights that load without unpickling code now", ""),
    ("mended", NOTE, "an axis that failed passes now", ""),
    ("proof-gained", NOTE, "an axis that was skipped passes now", ""),
    ("no-longer-asked", NOTE, "an axis that failed is skipped now", ""),
    ("fails-otherwise", NOTE, "an axis that decides still fails, for another reason", ""),
    ("faster", NOTE, "a load takes less time", ""),
    ("lighter", NOTE, "a load takes less memory at its peak", ""),
    ("smaller", NOTE, "there is less to download, or the weights are smaller", ""),
    ("host-gone", NOTE, "a host that is no longer asked", ""),
    ("redirect-new", NOTE, "a server redirects to a host that it did not redirect to", ""),
    ("finding-mended", NOTE, "a finding that is no longer there", ""),
    ("lock-mended", NOTE, "a difference to hubpub.lock is gone", ""),
    ("lock-gained", NOTE, "NEW was held against hubpub.lock, and OLD was not", ""),
)  # fmt: skip
KINDS = {name: Kind(name, severity, says, text) for name, severity, says, text in _ROWS}
"""By name, the most important first: the order in which changes are shown."""
_PLACE = {name: number for number, name in enumerate(KINDS)}


@dataclass(frozen=True)
class Change:
    """One thing that is otherwise in NEW.

    ``subject`` is what it is about, for a person: an entrypoint with its case and device, a URL, a
    host. ``what`` is the axis, fact or field; ``old`` and ``new`` its values (seconds, bytes,
    words; None where there is none); ``reason`` the reason of whichever result has one. ``claim``:
    said by the code under test, and not seen. ``place`` is where in the tree of NEW, ``advice``
    what its report says to do. Text may be anything that a report holds.
    """

    kind: str
    severity: str
    subject: str
    entrypoints: tuple[str, ...] = ()
    case: str | None = None
    device: str | None = None
    what: str | None = None
    old: str | float | None = None
    new: str | float | None = None
    reason: str | None = None
    claim: bool = False
    place: str | None = None
    advice: str | None = None

    @property
    def order(self) -> tuple[Any, ...]:
        """Worst first, then by kind, then by what it is about: the same for the same reports."""
        texts = (self.what, self.subject, self.case, self.device, self.reason, self.old, self.new)
        words = tuple("" if each is None else str(each) for each in texts)
        return (SEVERITIES.index(self.severity), _PLACE[self.kind], *words)


def change(kind: str, subject: str, *entrypoints: str, **fields: Any) -> Change:
    """A change whose kind says how severe it is; ``severity`` is given where it does not."""
    severity = fields.pop("severity", None) or KINDS[kind].severity
    assert severity is not None  # noqa: S101 - given with the one kind that has none
    return Change(kind, severity, subject, tuple(sorted(set(entrypoints))), **fields)


@dataclass(frozen=True)
class Remark:
    """What keeps two reports from being compared whole. ``name`` says which kind it is."""

    name: str
    message: str


@dataclass(frozen=True)
class Unlike:
    """Something of how a report was made, not of the release: a version, a limit, an option."""

    what: str
    old: str
    new: str


@dataclass(frozen=True)
class Thresholds:
    """When a measure has grown: by the factor and by the amount (seconds, bytes), both."""

    time_ratio: float = 2.0
    time_floor: float = 1.0
    memory_ratio: float = 1.25
    memory_floor: float = 128 << 20
    download_ratio: float = 1.1
    download_floor: float = 1 << 20


@dataclass(frozen=True)
class Compared:
    """How much stands in both reports."""

    entrypoints: int
    results: int
    checkpoints: int


@dataclass(frozen=True)
class Comparison:
    """What changed from OLD to NEW; ``changes`` in the order in which they are shown."""

    compared: Compared
    changes: tuple[Change, ...]
    remarks: tuple[Remark, ...]
    unlike: tuple[Unlike, ...]
    thresholds: Thresholds

    @property
    def status(self) -> str:
        """The worst severity of a change; same where there is none."""
        return self.changes[0].severity if self.changes else SAME
