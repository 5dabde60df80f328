"""What rules say of imports that the published tree cannot satisfy."""

from __future__ import annotations

from hubpub.diagnostic import Note, Severity
from hubpub.source.facts import Repo
from hubpub.source.facts_published import Missing


def by_subject(repo: Repo, *causes: str) -> dict[str, Missing]:
    """What is absent for one of the causes, each with the import that it hurts most."""
    worst: dict[str, Missing] = {}
    for found in repo.absent:
        if found.cause in causes:
            known = worst.get(found.subject)
            if known is None or _urgency(found) > _urgency(known):
                worst[found.subject] = found
    return worst


def _urgency(found: Missing) -> int:
    return 2 * (found.item.when == "import") + (not found.item.conditional)


def severity(found: Missing) -> Severity | None:
    """A warning where only some calls need it; else the rule's own."""
    return Severity.WARNING if found.item.conditional or not found.sure else None


def chain(found: Missing) -> tuple[Note, ...]:
    """The imports that lead there."""
    return tuple(Note(step.path, step.span, "imported here") for step in found.item.chain)
