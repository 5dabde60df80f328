"""The tests: ``hubconf.py::hubpub::check::HUB105``, ``hubconf.py::hubpub::verify::unet[...]``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from _pytest._code.code import ExceptionChainRepr

from hubpub.errors import CannotVerifyError, HubpubError
from hubpub.output.escape import short, visible
from hubpub.pytesting.asked import Asked
from hubpub.pytesting.naming import node_name

if TYPE_CHECKING:
    from _pytest._code.code import TerminalRepr, TracebackStyle

    from hubpub.check.work import Outcome
    from hubpub.pytesting.planned import Planned
    from hubpub.pytesting.running import Running
    from hubpub.pytesting.verdicts import Problem, Verdict, Verdicts
    from hubpub.rules import Rule

SECTION = "hubpub"
"""The section of a test's report in which stands what does not fail it."""
SECTION_SHOWN = f"Captured {SECTION} call"
"""What pytest makes of its name."""
TOGETHER = "hubpub"
"""The group of pytest-xdist that the tests are in: one process runs them, with --dist loadgroup."""
_LONGEST = 2000
_FEW = 5
_ONLINE = frozenset({"HUB414"})
"""Rules that judge what hosts answer; none is asked here."""


@dataclass(frozen=True)
class Place:
    """Where a failure is to be mended, and the line that says what it is."""

    path: str
    line: int
    message: str


class ToldError(Exception):
    """Why a test fails, in words: no traceback of ours helps anybody."""

    def __init__(self, text: str, place: Place) -> None:
        super().__init__(text)
        self.place = place


class HubconfFile(pytest.File):
    """hubconf.py, as hubpub tests it."""

    asked: Asked
    running: Running

    @classmethod
    def of(cls, session: pytest.Session, asked: Asked, running: Running) -> HubconfFile:
        """The file, right below the session.

        Not in its folder: pytest imports the ``__init__.py`` of one before its first test.
        """
        file: HubconfFile = cls.from_parent(session, path=asked.hubconf)
        file.asked, file.running = asked, running
        return file

    def collect(self) -> Iterator[pytest.Collector]:
        """One group of tests, named after the tool."""
        yield Tests.from_parent(self, name="hubpub")


class Tests(pytest.Collector):
    """Everything that hubpub tests of one hubconf.py."""

    def collect(self) -> Iterator[pytest.Collector]:
        """The static tests, and the dynamic ones where they are asked for."""
        file = file_of(self)
        yield Checks.from_parent(self, name="check")
        if file.asked.verify:
            yield Proofs.from_parent(self, name="verify")


class Group(pytest.Collector):
    """Tests that share one run, which begins with the first of them and is made once."""

    _failed: HubpubError | None = None
    _ran = False

    def ready(self) -> None:
        """Make the run, or fail where it cannot be made: an error of every test of the group."""
        if self._failed is not None:
            pytest.fail(f"{_shown(self._failed.message)} (as above)", pytrace=False)
        if not self._ran:
            try:
                self.run()
            except HubpubError as error:
                self._failed = error
                lines = [_shown(f"  help: {line}") for line in (error.help or "").splitlines()]
                pytest.fail("\n".join([_shown(error.message), *lines]), pytrace=False)
            except BaseException:
                # A limit of pytest-timeout, for one: the next test would begin all over again.
                self._failed = CannotVerifyError("the run of these tests was ended from outside")
                raise
            self._ran = True

    def run(self) -> None:
        """Make it.

        Raises:
            HubpubError: it cannot be made.
        """
        raise NotImplementedError


class Checks(Group):
    """A test for each rule that the settings select."""

    outcome: Outcome
    _remarks: tuple[str, ...] = ()

    def collect(self) -> Iterator[pytest.Item]:
        """Rules are known without reading the repository, so ids stay when findings go."""
        from hubpub import rules
        from hubpub.check import is_selected

        for rule in rules.all_rules():
            if is_selected(rule, file_of(self).asked.settings) and rule.code not in _ONLINE:
                yield Check.of(self, rule)

    def run(self) -> None:
        """Judge the repository."""
        from hubpub.check import work

        self.outcome = work.run(work.Work(), file_of(self).asked.root)
        names = ", ".join(self.outcome.unfollowed[:_FEW])
        left = f"not followed to the end, so not judged whole: {names}" if names else ""
        self._remarks = tuple(filter(None, (*self.outcome.said, left)))

    def take_remarks(self) -> tuple[str, ...]:
        """What there is to say of the whole, for the first who asks."""
        taken, self._remarks = self._remarks, ()
        return taken


class Test(pytest.Item):
    """A test without code: the run of its group has what it says."""

    def setup(self) -> None:
        """Have the run made, by the first test that needs it."""
        _group(self).ready()

    def say(self, lines: Sequence[str]) -> None:
        """Put what does not fail the test into its report."""
        if lines:
            self.add_report_section("call", SECTION, "\n".join(lines))

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: TracebackStyle | None = None
    ) -> str | TerminalRepr:
        """What is wrong, with the place as pytest keeps it, for editors and annotations."""
        error = excinfo.value
        if not isinstance(error, ToldError):
            return super().repr_failure(excinfo, style)
        from hubpub.check.work import seen_from_here

        shown = excinfo.getrepr(style="value", chain=False)
        if shown.reprcrash is not None and isinstance(shown, ExceptionChainRepr):
            crash = replace(
                shown.reprcrash,
                path=visible(seen_from_here(file_of(self).asked.root / error.place.path)),
                lineno=error.place.line,
                message=_shown(error.place.message),
            )
            shown.reprcrash = crash
            shown.chain = [(shown.reprtraceback, crash, None)]
        return shown


class Check(Test):
    """One rule: fails where a finding of it is severe enough to fail ``hubpub check``."""

    rule: Rule

    @classmethod
    def of(cls, parent: Checks, rule: Rule) -> Check:
        """The test of ``rule``; -k finds it by its name too."""
        item: Check = cls.from_parent(parent, name=rule.code)
        item.rule = rule
        item.extra_keyword_matches.add(rule.name)
        return item

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The file, and what the test is called."""
        return self.path, None, f"hubpub check {self.rule.code} {self.rule.name}"

    def runtest(self) -> None:
        """Show the findings as ``hubpub check`` does."""
        from hubpub.output import formats
        from hubpub.output.run import Run

        group = _group(self)
        assert isinstance(group, Checks)  # noqa: S101 - what makes them
        self.say([visible(line) for line in group.take_remarks()])
        outcome = group.outcome
        found = [item for item in outcome.diagnostics if item.code == self.rule.code]
        if not found:
            return
        run = Run(lambda where, line: outcome.lines.get((where, line), ""))
        worst = max(found, key=lambda item: item.severity)
        if worst.severity < outcome.fail_on:
            self.say(formats.render("concise", found, run).splitlines())
            return
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        text = formats.render("full", found, run).rstrip("\n")
        raise ToldError(text, Place(worst.path, worst.span.line, f"{worst.message}{more}"))


class Proofs(Group):
    """A test for each result that verify will have, and one for the run."""

    verdicts: Verdicts

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self.plans: list[Planned] = []
        """The results that have a test, selected or not."""
        self._told: set[Problem] = set()

    def collect(self) -> Iterator[pytest.Item]:
        """Read the list statically: nothing of the repository runs before a test does."""
        from hubpub import source
        from hubpub.pytesting import planned

        asked = file_of(self).asked
        repo = source.read(asked.root)
        yield ProofOfAll.from_parent(self, name="run")
        for plan in planned.results(repo, asked.settings, asked.device):
            yield Proof.of(self, plan)

    def run(self) -> None:
        """Run those entrypoints of which a test is selected; all, where none is left out."""
        from hubpub.pytesting.verdicts import Verdicts

        selected = {
            item.plan.entrypoint
            for item in self.session.items
            if isinstance(item, Proof) and item.parent is self
        }
        every = list(dict.fromkeys(plan.entrypoint for plan in self.plans))
        whole = not selected or selected == set(every)
        report = file_of(self).running.report(
            None if whole else [name for name in every if name in selected]
        )
        self.verdicts = Verdicts(report, [plan.key for plan in self.plans])

    def tell(self, problem: Problem) -> list[str]:
        """The problem in words; in few, where another test has told it already."""
        lines = problem.lines()
        if problem in self._told:
            return [f"{lines[0]} (as above)"]
        self._told.add(problem)
        return lines


class ProofTest(Test):
    """One verdict over the report."""

    def verdict(self, verdicts: Verdicts) -> Verdict:
        """That of this test."""
        raise NotImplementedError

    def runtest(self) -> None:
        """Fail, or be skipped, as the verdict says."""
        group = _group(self)
        assert isinstance(group, Proofs)  # noqa: S101 - what makes them
        verdict = self.verdict(group.verdicts)
        self.say(verdict.remarks)
        self.user_properties += verdict.properties
        if verdict.failures:
            first = verdict.failures[0]
            lines = [line for problem in verdict.failures for line in group.tell(problem)]
            place = Place(first.path, first.line, f"{first.name}: {first.message}")
            raise ToldError("\n".join(lines), place)
        if verdict.skipped is not None:
            raise pytest.skip.Exception(verdict.skipped, _use_item_location=True)


class ProofOfAll(ProofTest):
    """What no result tells: that the run came to its end, that anything was listed, clashes."""

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The file, and what the test is called."""
        return self.path, None, "hubpub verify run"

    def verdict(self, verdicts: Verdicts) -> Verdict:
        """What no other test tells."""
        return verdicts.of_the_run()


class Proof(ProofTest):
    """One entrypoint in one case on one device."""

    plan: Planned

    @classmethod
    def of(cls, parent: Proofs, plan: Planned) -> Proof:
        """The test of a result."""
        # The names of devices are hubpub's own, with a colon at most.
        case = f"{node_name(plan.case)}-{plan.device}"
        item: Proof = cls.from_parent(parent, name=f"{node_name(plan.entrypoint)}[{case}]")
        item.plan = plan
        parent.plans.append(plan)
        return item

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the entrypoint is defined."""
        place = file_of(self).asked.root / self.plan.path
        return place, self.plan.line - 1, f"hubpub verify {self.name}"

    def verdict(self, verdicts: Verdicts) -> Verdict:
        """That of its result."""
        return verdicts.of(self.plan.key)


def file_of(node: pytest.Item | pytest.Collector) -> HubconfFile:
    """The hubconf.py that a node is of."""
    file = node.getparent(HubconfFile)
    assert file is not None  # noqa: S101 - there is no other way to make one
    return file


def _group(item: Test) -> Group:
    assert isinstance(item.parent, Group)  # noqa: S101 - there is no other way to make one
    return item.parent


def _shown(text: str) -> str:
    return visible(short(text, _LONGEST))
