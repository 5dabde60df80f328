"""What verify's own findings mean, by name: what a format that explains its rules says of each."""

from __future__ import annotations

from hubpub.output.links import HOME
from hubpub.output.rule import Described

PAGE = f"{HOME}/blob/main/docs/verify.md"
AXES, REFERENCE, NETWORK = "axes", "what-happens", "the-network"
CASES, PART, LOCK = "cases-and-inputs", "a-part-and-shards", "the-lock"

RULES: dict[str, tuple[str, str]] = {
    # name -> its meaning in one sentence, and the section of docs/verify.md that explains it.
    "listed": ("torch.hub.list and hubpub list disagree on an entrypoint", AXES),
    "documented": ("torch.hub.help shows nothing for an entrypoint", AXES),
    "loads": ("torch.hub.load of an entrypoint fails", AXES),
    "forward": ("a call with the declared input fails, or gives another result", AXES),
    "device": ("a model cannot be moved to the GPU whole, or leaves memory there", "devices"),
    "weights": ("a checkpoint is not the one that its stamp or the lock names", AXES),
    "weights-only": ("a checkpoint does not load without unpickling code", AXES),
    "dependencies": ("the tree imports a package that dependencies leaves out", AXES),
    "coexists": ("an entrypoint does not load beside other code", AXES),
    "offline": ("an entrypoint does not load again from its caches", AXES),
    "reproducible": ("two loads give different weights", AXES),
    "late-imports": ("a call imports a module of the repository too late", AXES),
    "pickles": ("what an entrypoint returns cannot be sent to a worker process", AXES),
    "ambiguous-ref": (
        "the ref is both a branch and a tag, and torch.hub takes the branch",
        REFERENCE,
    ),
    "default-branch": ("torch.hub takes another branch than the default one", REFERENCE),
    "commit-pin": ("the ref is a commit, which torch.hub takes only while it is a tip", REFERENCE),
    "not-as-in-a-clone": ("a file of the tree is not what a clone has", REFERENCE),
    "not-verified": ("nothing could be proven", REFERENCE),
    "no-sandbox": ("the code ran without a full sandbox", "the-sandbox"),
    "cannot-list": ("torch.hub.list fails, so that nobody can load anything", AXES),
    "no-entrypoints": ("torch.hub.list shows nothing to load", AXES),
    "not-listed": ("hubpub list shows a name that torch.hub.list does not", AXES),
    "unexplained-open": ("a checkpoint is opened that no user has", AXES),
    "cache-name-clash": ("two URLs share one name in the cache of torch.hub", AXES),
    "too-many-entrypoints": ("more entrypoints than a run takes", PART),
    "partial-run": ("only a part of the entrypoints was to be run", PART),
    "empty-shard": ("a shard has no entrypoint", PART),
    "nothing-run": ("every entrypoint was skipped", PART),
    "deadline": ("an entrypoint had no turn before the run's deadline", PART),
    "stopped": ("the run could not go on", PART),
    "interrupted": ("the run was ended", PART),
    "expired-skip": ("the day until which an entrypoint was to be skipped has passed", CASES),
    "unknown-entrypoint": ("there are settings for an entrypoint that is not there", CASES),
    "limit-not-raised": ("the settings ask for more than the limits of the run", CASES),
    "supplied-files": ("files of --checkpoints answered for a server", "without-a-network"),
    "locked": ("something is not as hubpub.lock has it", LOCK),
    "not-compared": ("something was not compared with hubpub.lock", LOCK),
}

UNKNOWN = "something that this version of hubpub does not know"


def url(name: str) -> str:
    """Where a finding of verify is explained."""
    anchor = RULES.get(name, ("", ""))[1]
    return f"{PAGE}#{anchor}" if anchor else PAGE


def described(code: str, name: str, severity: str) -> Described:
    """The rule ``name`` of verify, whose id is ``code``; ``severity`` is that of a finding of it.

    A name that is not known, which anybody may have written, is no part of the documentation: that
    is Markdown.
    """
    meaning = RULES.get(name, (UNKNOWN, ""))[0]
    document = (
        f"## What it does\n\n`hubpub verify` ran the release through the real torch.hub: {meaning}."
        "\n\n## Why is this bad?\n\nThe message says for whom it fails, and what to do next."
    )
    return Described(code, name, severity, meaning, document, "verify")
