"""Findings as SARIF 2.1.0, which GitHub code scanning and many editors read.

Words of the format, such as ``ruleId`` and ``%SRCROOT%``, are those of the OASIS standard
(https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hubpub.diagnostic import Diagnostic, Edit, Fix, Span
from hubpub.output.escape import visible
from hubpub.output.fingerprint import fingerprints
from hubpub.output.json import dumps
from hubpub.output.links import HOME, encoded
from hubpub.output.run import Run

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
SOURCES = "%SRCROOT%"
_LONGEST = 1024
"""What GitHub takes of a description (characters)."""
_PROBLEM = {"error": "error", "warning": "warning", "note": "recommendation"}


def render(diagnostics: Sequence[Diagnostic], run: Run) -> str:
    """One log with one run; paths are relative to where hubpub ran, the checkout's root in CI."""
    marks = [{"hubpubLine/v1": mark} for mark in fingerprints(diagnostics, run)]
    return log(found(diagnostics, run, marks))


def log(run: Mapping[str, Any]) -> str:
    """A log of one run, as text."""
    return dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def found(
    diagnostics: Sequence[Diagnostic], run: Run, marks: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """The run that found ``diagnostics``.

    Args:
        diagnostics: the findings, each with a code that is the id of its rule.
        run: what is known of the rules, and the version.
        marks: of each finding its fingerprints, by their kind.
    """
    codes = dict.fromkeys(item.code for item in diagnostics)
    numbers = {code: number for number, code in enumerate(codes)}
    named = {item.code: item for item in reversed(diagnostics)}
    driver = {
        "name": "hubpub",
        "version": run.version,
        "informationUri": HOME,
        "rules": [_rule(named[code], run) for code in codes],
    }
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": "hubpub/"},
        "invocations": [{"executionSuccessful": True}],
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {
            SOURCES: {"description": {"text": "The directory in which hubpub ran."}}
        },
        "results": [
            _result(item, mark, numbers[item.code])
            for item, mark in zip(diagnostics, marks, strict=True)
        ],
    }


def _rule(item: Diagnostic, run: Run) -> dict[str, Any]:
    url = run.rule_url(item.code, item.name)
    shown: dict[str, Any] = {"id": item.code, "name": item.name}
    if url:
        shown["helpUri"] = url
    rule = run.rules.get(item.code)
    if rule is None:
        return shown | {"shortDescription": {"text": item.name}}
    purpose = f"{rule.section('What it does')}\n\n{rule.section('Why is this bad?')}".strip()
    return shown | {
        "shortDescription": {"text": rule.summary[:_LONGEST]},
        "fullDescription": {"text": purpose[:_LONGEST]},
        "help": {"text": f"{rule.document}\n\n{url}\n", "markdown": f"{rule.document}\n"},
        "defaultConfiguration": {"level": rule.severity},
        "properties": {
            "tags": [word for word in (rule.family, "torch.hub") if word],
            "precision": "high",
            "problem.severity": _PROBLEM[rule.severity],
        },
    }


def _result(item: Diagnostic, marks: Mapping[str, str], number: int) -> dict[str, Any]:
    text = item.message if item.help is None else f"{item.message}\n{item.help}"
    shown: dict[str, Any] = {
        "ruleId": item.code,
        "ruleIndex": number,
        "level": item.severity.label,
        "message": _message(text),
        "locations": [{"physicalLocation": _place(item.location, item.span)}],
        "partialFingerprints": marks,
    }
    if item.notes:
        shown["relatedLocations"] = [
            {
                "id": index,
                "message": _message(note.message),
                "physicalLocation": _place(item.seen_from_here(note.path), note.span),
            }
            for index, note in enumerate(item.notes, start=1)
        ]
    if item.fix is not None and item.fix.safe and item.fix.edits:
        shown["fixes"] = [_fix(item, item.fix)]
    return shown


def _message(text: str) -> dict[str, str]:
    """A message without placeholders and links: section 3.11 takes ``{0}`` and ``[a](b)`` so."""
    shown = "\n".join(visible(line) for line in text.splitlines())
    shown = shown.replace("{", "{{").replace("}", "}}")
    if "](" in shown:
        shown = shown.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    return {"text": shown}


def _place(location: str, span: Span) -> dict[str, Any]:
    """A place; a span of no width stands for its line."""
    empty = (span.line, span.column) == (span.end_line, span.end_column)
    region = {"startLine": span.line} if empty else _region(span)
    return {"artifactLocation": _artifact(location), "region": region}


def _artifact(location: str) -> dict[str, str]:
    if location.startswith("/"):
        return {"uri": f"file://{encoded(location)}"}
    return {"uri": encoded(location), "uriBaseId": SOURCES}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _fix(item: Diagnostic, fix: Fix) -> dict[str, Any]:
    """The edits by file. What is inserted is exact: it is written to a file, never shown."""
    files: dict[str, list[Edit]] = {}
    for edit in fix.edits:
        files.setdefault(edit.path, []).append(edit)
    return {
        "description": _message(fix.title),
        "artifactChanges": [
            {
                "artifactLocation": _artifact(item.seen_from_here(path)),
                "replacements": [
                    {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}
                    for edit in edits
                ],
            }
            for path, edits in files.items()
        ],
    }
