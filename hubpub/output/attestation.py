"""A report as an in-toto Statement v1, for GitHub, cosign or another to sign: docs/attestation.md.

Only a report that proves a release is one. Whoever meets a signed statement of this type then
need not look for a word in it that says the opposite.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from hubpub.errors import UsageError
from hubpub.output.escape import short, visible
from hubpub.output.json import safe
from hubpub.output.report_results import proven, undecided, with_supplied
from hubpub.output.report_text import partial

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://github.com/hubpub/hubpub/tree/main/docs/attestation/v1"
"""The page of the predicate; its version is that of the report's schema."""

MAX_SUBJECTS = 1024
"""More are refused by actions/attest (MAX_SUBJECT_COUNT) and sigstore-go (maxAllowedSubjects)."""
MAX_PREDICATE_BYTES = 16 << 20
"""A larger predicate is refused by actions/attest (MAX_PREDICATE_SIZE_BYTES)."""
MAX_DEPTH = 32
"""Readers that go through protobuf's Struct end at 100 of its levels, two to three for one here."""

_LONGEST = 255
"""Bytes of a name: as a file may have. actions/attest reads 512 for each subject, with its digest
(MAX_SUBJECT_CHECKSUM_SIZE_BYTES)."""
_NO_NAME = "_"
"""What in-toto has for a name that means nothing."""
_MARK = "@sha256:"
_REF = {"tag": "refs/tags/{}", "branch": "refs/heads/{}", "commit": "{}"}
_URL = re.compile(r"https://[a-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._-]+){2}")
_AGAIN = "hubpub verify says this of none that passes; verify again"
_SIGN_THE_FILE = "sign the JSON report itself as a file: cosign sign-blob, or actions/attest of it"


def refuse(report: Mapping[str, Any]) -> None:
    """Raise UsageError where ``report`` proves less than a whole release."""
    status, selection = report["status"], report.get("selection")
    tier, kind = report["sandbox"]["tier"], report["reference"]["kind"]
    if status != "pass":
        raise UsageError(
            f"no attestation of a run with the status {status}: only what passes is attested",
            help="mend what the report says; the report itself is there all the same",
        )
    if tier not in {"bwrap", "container"}:
        raise UsageError(
            f"no attestation of a run with the sandbox {tier}: the code could have said anything",
            help="verify in a sandbox: --sandbox auto",
        )
    if not selection or not selection["whole"]:
        raise UsageError(
            "no attestation of a part: not all entrypoints were run",
            help="run all; or join the shards: hubpub report merge FILE... --attestation FILE",
        )
    if kind not in _REF or report["commit"] is None:
        raise UsageError(
            "no attestation of a working tree: nobody else has it", help="commit, and verify that"
        )
    if with_supplied(report):
        raise UsageError(
            "no attestation of a run with --checkpoints: no server was asked for the files",
            help="verify with a network, without --checkpoints",
        )
    if left := undecided(report):
        raise UsageError(
            f"no attestation of a run with --skip {left[0]}: it decides whether a release works",
            help=f"verify without --skip {left[0]}",
        )
    _refuse_what_is_not_there(report)


def _refuse_what_is_not_there(report: Mapping[str, Any]) -> None:
    """A run that passes has all this; a report from a file may be anybody's."""
    counted = proven(report)
    if part := partial(report):
        raise UsageError(f"no attestation of a part: {part}", help=_AGAIN)
    if counted.failing:
        raise UsageError(f"no attestation: {counted.failing} of its entrypoints fail", help=_AGAIN)
    if not counted.proven:
        raise UsageError("no attestation: no entrypoint was proven", help=_AGAIN)


def statement(report: Mapping[str, Any]) -> dict[str, Any]:
    """The statement that ``report`` (the documented JSON object) can be signed as.

    Its predicate is the report. The same report gives the same statement: no time is in it, which
    is what who signs adds. Text that is no Unicode (a file's name may be that) has its bytes
    spelled out, as no reader of signed statements takes it otherwise.

    Raises:
        UsageError: it proves too little, or is larger than what is taken to be signed.
    """
    refuse(report)
    subjects = [*_checkpoints(report), _commit(report)]
    if len(subjects) > MAX_SUBJECTS:
        raise UsageError(
            f"an attestation can name {MAX_SUBJECTS} files, and this report has "
            f"{len(subjects) - 1} checkpoints and a commit",
            help=_SIGN_THE_FILE,
        )
    predicate = _unicode(report, MAX_DEPTH)
    if (size := len(_dumps(predicate))) > MAX_PREDICATE_BYTES:
        raise UsageError(
            f"an attestation can hold {MAX_PREDICATE_BYTES >> 20} MiB, and this report is "
            f"{size / (1 << 20):.1f} MiB",
            help=f"verify one device at a time (--device cpu), or {_SIGN_THE_FILE}",
        )
    return {
        "_type": STATEMENT_TYPE,
        "subject": subjects,
        "predicateType": PREDICATE_TYPE,
        "predicate": predicate,
    }


def dumps(statement: Mapping[str, Any]) -> str:
    """The statement as one line of JSON in ASCII, with a newline; as it is signed."""
    return _dumps(statement) + "\n"


def _dumps(value: object) -> str:
    return safe(json.dumps(value, separators=(",", ":")))


def _checkpoints(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A subject for each content, by its sha256 alone: sorted, no two names alike.

    The name is that of the file in the cache of torch.hub, or its path in the tree.
    """
    names: dict[str, str] = {}
    for item in report["checkpoints"]:
        name = _shown(item["path"] or item["filename"])
        names[item["sha256"]] = min(name, names.get(item["sha256"], name))
    taken = Counter([*names.values(), _name(report)])
    subjects = [
        {
            "name": f"{name}{_MARK}{sha256}" if taken[name] > 1 or _MARK in name else name,
            "digest": {"sha256": sha256},
        }
        for sha256, name in names.items()
    ]
    return sorted(subjects, key=lambda item: (item["name"], item["digest"]["sha256"]))


def _commit(report: Mapping[str, Any]) -> dict[str, Any]:
    """The subject that is the commit, last: some readers look at the first subject alone.

    Where the repository lies on the machine that ran this, the commit says all that is known.
    """
    subject: dict[str, Any] = {"name": _name(report)}
    if url := _url(report):
        reference = report["reference"]
        ref = _REF[reference["kind"]].format(quote(_plain(reference["ref"]), safe="/"))
        subject["uri"] = f"git+{url}@{ref}"
    return {**subject, "digest": {"gitCommit": report["commit"]}}


def _name(report: Mapping[str, Any]) -> str:
    """``owner/repo:ref`` as ``torch.hub.load`` takes it."""
    reference = report["reference"]
    if not _url(report):
        return _NO_NAME
    return _shown(f"{reference['owner']}/{reference['repo']}:{reference['ref']}")


def _url(report: Mapping[str, Any]) -> str | None:
    """The repository, where the report says of which one it is; a report may be anybody's.

    Its scheme and host are in small letters, as in-toto's rule for a ResourceURI has it.
    """
    reference = report["reference"]
    url, name = reference.get("url") or "", f"/{reference['owner']}/{reference['repo']}"
    if not (url.endswith(name) and reference["ref"] and len(url) <= _LONGEST):
        return None
    made = url.removesuffix(name).lower() + name
    return made if _URL.fullmatch(made) else None


def _shown(text: str) -> str:
    name = visible(short(text, _LONGEST)).replace("\t", "\\t").strip()
    data = name.encode()
    if len(data) > _LONGEST:
        name = data[:_LONGEST].decode("utf-8", "ignore").strip() + "..."
    return name or _NO_NAME


def _plain(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _unicode(value: Any, depth: int) -> Any:
    """``value`` with every text as Unicode, whoever put what into it."""
    if isinstance(value, str):
        return _plain(value)
    if not isinstance(value, dict | list):
        return value
    if depth == 0:
        raise UsageError(
            f"an attestation can hold {MAX_DEPTH} levels, and this report has more",
            help="hubpub verify writes none that has; verify again",
        )
    if isinstance(value, dict):
        return {_plain(key): _unicode(item, depth - 1) for key, item in value.items()}
    return [_unicode(item, depth - 1) for item in value]
