"""What a report of verify comes to, test by test: pure, from the documented JSON to a verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hubpub.output.escape import short, visible

Key = tuple[str, str, str]
"""The entrypoint, the case and the device of a result."""
_LONGEST, _SHOWN = 2000, 50
_ENDED = frozenset({"error", "interrupted"})
"""The states of a run that did not come to its end."""


@dataclass(frozen=True)
class Problem:
    """One thing that a test says: what, and where it is to be mended. Not escaped."""

    name: str
    message: str
    path: str
    line: int
    help: str | None = None

    def lines(self) -> list[str]:
        """As text of several lines, in which nothing acts on a terminal."""
        advice = short(self.help or "", _LONGEST).splitlines()
        return [
            _shown(f"{self.name}: {self.message}"),
            _shown(f"  {self.path}:{self.line}"),
            *(_shown(f"  help: {line}") for line in advice),
        ]


@dataclass(frozen=True)
class Verdict:
    """What becomes of a test: it fails for ``failures``, else it is skipped for ``skipped``.

    ``remarks`` are what it says all the same, ``properties`` what a JUnit file keeps of it.
    """

    failures: tuple[Problem, ...] = ()
    skipped: str | None = None
    remarks: tuple[str, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()


@dataclass
class Verdicts:
    """The verdicts over one report. ``tests``: the results that have a test, in their order."""

    report: Mapping[str, Any]
    tests: Sequence[Key]
    _by_key: dict[Key, list[Mapping[str, Any]]] = field(default_factory=dict)
    _astray: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Give every result to the test that is its own, else to the first of its entrypoint."""
        self._by_key = {key: [] for key in self.tests}
        first: dict[str, Key] = {}
        for key in self.tests:
            first.setdefault(key[0], key)
        for name, result in _results(self.report):
            key = (name, result["case"], result["device"])
            if key not in self._by_key and result["facts"] is None:
                continue
            taker = key if key in self._by_key else first.get(name)
            if taker is None:
                self._astray.append((name, result))
            else:
                self._by_key[taker].append(result)

    def of(self, key: Key) -> Verdict:
        """What becomes of the test of this result."""
        name = key[0]
        results = self._by_key[key]
        failures, remarks = self._judged(name, results)
        properties = tuple(item for result in results for item in self._properties(key, result))
        ran = any(result["facts"] is not None for result in results)
        if not ran:
            # Why it did not run may be what fails: a deadline, a skip that has ended.
            failures += [_problem(item) for item in self._errors() if self._stops(item, name)]
        if not results and not failures and self.report["status"] in _ENDED:
            failures.append(self._ended("before this was run"))
        skipped = None if ran or failures else self._why(key, results)
        return Verdict(tuple(failures), skipped, tuple(remarks), properties)

    def of_the_run(self) -> Verdict:
        """What becomes of the test of the run: what no other test tells, and that anything ran."""
        failures: list[Problem] = []
        remarks: list[str] = []
        for name, result in self._astray:
            failed, said = self._judged(name, [result])
            failures += failed
            remarks += said
            if not failed:
                remarks.append(_shown(f"{_call(name, result)}: passed, and has no test of its own"))
        told = {
            (key[0], item)
            for key, results in self._by_key.items()
            for result in results
            for item in [*_failed(result), *([] if result["facts"] else [None])]
        }
        told |= {(name, axis) for name, result in self._astray for axis in _failed(result)}
        tested = {key[0] for key in self.tests}
        failures += [
            _problem(item)
            for item in self._errors()
            if (item["entrypoint"], item["axis"]) not in told
            and not (_unlisted(item) and item["entrypoint"] in tested)
        ]
        status = self.report["status"]
        if not failures and status in _ENDED:
            failures.append(self._ended("before its end"))
        if (
            status == "fail"
            and not failures
            and not any(self.of(key).failures for key in self.tests)
        ):
            failures.append(
                Problem(status, "the run failed, and no test says why", "hubconf.py", 1)
            )
        return Verdict(tuple(failures), None, tuple(remarks))

    def _ended(self, when: str) -> Problem:
        return Problem(self.report["status"], f"the run ended {when}", "hubconf.py", 1)

    def _stops(self, finding: Mapping[str, Any], name: str) -> bool:
        """Whether it says why this entrypoint was not run."""
        if finding["entrypoint"] == name:
            return finding["axis"] is None or _unlisted(finding)
        return finding["entrypoint"] is None and not self.report["entrypoints"]

    def _judged(
        self, name: str, results: Iterable[Mapping[str, Any]]
    ) -> tuple[list[Problem], list[str]]:
        """The required axes that failed, and what is said of the others that did."""
        failures: list[Problem] = []
        remarks: list[str] = []
        for result in results:
            for axis, verdict in _failed(result).items():
                found = self._findings(name, axis, str(verdict["reason"]))
                errors = [item for item in found if item["severity"] == "error"]
                failures += [_problem(item) for item in errors]
                remarks += [
                    _shown(f"{item['severity']} {item['name']}: {item['message']}")
                    for item in found
                    if item["severity"] != "error"
                ]
        return list(dict.fromkeys(failures)), list(dict.fromkeys(remarks))

    def _findings(self, name: str, axis: str, reason: str) -> list[Mapping[str, Any]]:
        """What was found of an axis: those that say its reason, as others are of other cases."""
        of_axis = [
            item
            for item in self.report["findings"]
            if item["code"] == "verify" and item["entrypoint"] == name and item["axis"] == axis
        ]
        return [item for item in of_axis if item["message"].endswith(reason)] or of_axis

    def _errors(self) -> list[Mapping[str, Any]]:
        """What fails the run."""
        return [
            item
            for item in self.report["findings"]
            if item["code"] == "verify" and item["severity"] == "error"
        ]

    def _why(self, key: Key, results: Sequence[Mapping[str, Any]]) -> str:
        if results:
            return _shown(str(results[0]["axes"]["loads"]["reason"]))
        if any(item["name"] == key[0] for item in self.report["entrypoints"]):
            return "hubpub verify made no such case of it, and judged the others"
        return "torch.hub.list does not show it"

    def _properties(self, key: Key, result: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        facts = result["facts"]
        if facts is None:
            return
        own = (key[0], result["case"], result["device"]) == key
        prefix = "hubpub" if own else f"hubpub_{visible(result['case'])}_{result['device']}"
        yield f"{prefix}_wall_s", f"{facts['wall_s']:.3f}"
        yield f"{prefix}_peak_bytes", str(facts["peak_bytes"])
        names = {item["sha256"]: item["filename"] for item in self.report["checkpoints"]}
        for sha256 in result["checkpoints"][:_SHOWN]:
            named = f" {names[sha256]}" if sha256 in names else ""
            yield f"{prefix}_checkpoint", _shown(f"sha256:{sha256}{named}")


def _results(report: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for entrypoint in report["entrypoints"]:
        for result in entrypoint["results"]:
            yield entrypoint["name"], result


def _failed(result: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    return {axis: item for axis, item in result["axes"].items() if item["status"] == "fail"}


def _unlisted(finding: Mapping[str, Any]) -> bool:
    """Whether it says that the real list has not the name that the static one has."""
    return bool(finding["name"] == "not-listed")


def _problem(finding: Mapping[str, Any]) -> Problem:
    return Problem(
        finding["name"], finding["message"], finding["path"], finding["line"], finding["help"]
    )


def _call(name: str, result: Mapping[str, Any]) -> str:
    return f"{short(name, _SHOWN)} ({result['case']}, {result['device']})"


def _shown(text: str) -> str:
    return visible(short(text, _LONGEST))
