"""How the tests come into a session of pytest, and what is said beside them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hubpub import __version__
from hubpub.output.escape import visible
from hubpub.pytesting import asked, nodes, running

if TYPE_CHECKING:
    from hubpub.pytesting.asked import Asked

_MARKER = "hubpub: a test of hubconf.py that hubpub makes, with --hubpub"
_SHARED = "hubpub_folder"
"""Where a process of pytest-xdist finds the name of the folder that all of them share."""
_MOST_LINES = 100


def take_part(config: pytest.Config) -> None:
    """Collect the tests of hubconf.py in this session.

    Raises:
        pytest.UsageError: what is asked for cannot be done.
    """
    if config.option.help or config.option.version:
        return
    wanted = asked.read(config)
    config.addinivalue_line("markers", _MARKER)
    shared = getattr(config, "workerinput", {}).get(_SHARED)
    own = None
    if shared is None or not Path(shared).is_dir():  # a process may be on another machine
        shared = own = Path(tempfile.mkdtemp(prefix="hubpub-pytest-"))
    folder = Path(shared)
    taking = TakingPart(wanted, running.Running(wanted, folder), own)
    config.pluginmanager.register(taking, "hubpub-taking-part")
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(Sharing(folder), "hubpub-sharing")
    if wanted.added:
        config.args.append(str(wanted.hubconf))


class Sharing:
    """Tells the processes of pytest-xdist where their common folder is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Before a process starts."""
        node.workerinput[_SHARED] = str(self._folder)


class TakingPart:
    """The hooks of a session that has tests of hubconf.py. ``own``: a folder to take away."""

    def __init__(self, wanted: Asked, run: running.Running, own: Path | None) -> None:
        self._asked, self._running, self._own = wanted, run, own
        self._hubconf = wanted.hubconf.resolve()

    def pytest_report_header(self) -> list[str]:
        """What is tested, or why nothing is."""
        if not (self._asked.given or self._asked.added):
            return ["hubpub: hubconf.py is not among the paths that are given: nothing of it"]
        what = "check"
        if self._asked.verify:
            what += f" and verify, {'committed' if self._asked.committed else 'the working tree'}"
        return [f"hubpub: {__version__}, {what}: {visible(str(self._asked.hubconf))}"]

    @pytest.hookimpl(wrapper=True)
    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
        """Collect hubconf.py, and keep it from being imported as a module of tests.

        pytest does that with each file that is named, as hubconf.py may be for its own tests.
        """
        others = yield
        if file_path.name != asked.HUBCONF or file_path.resolve() != self._hubconf:
            return others
        patterns = parent.config.getini("python_files")
        if self._asked.added:
            others = []
        elif not any(fnmatch(file_path.name, pattern) for pattern in patterns):
            others = [item for item in others if not isinstance(item, pytest.Module)]
        return [*others, nodes.HubconfFile.of(parent.session, self._asked, self._running)]

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Mark ours; those of pytest-xdist's --dist loadgroup stay together."""
        if isinstance(item, nodes.Test):
            item.add_marker(pytest.mark.hubpub)
            if item.config.pluginmanager.hasplugin("xdist"):
                item.add_marker(pytest.mark.xdist_group(nodes.TOGETHER))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """What takes long comes last: the user's own tests say sooner what they have to."""
        items.sort(key=lambda item: isinstance(item, nodes.ProofTest))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """What was found and fails nothing; else nobody would see it."""
        lines = list(dict.fromkeys(_said(terminalreporter)))
        if lines:
            terminalreporter.section("hubpub: what fails no test", "-")
            for line in lines[:_MOST_LINES]:
                terminalreporter.write_line(line)
            if len(lines) > _MOST_LINES:
                terminalreporter.write_line(f"and {len(lines) - _MOST_LINES} more lines")

    def pytest_unconfigure(self) -> None:
        """Take the folder away."""
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)


def _said(terminalreporter: pytest.TerminalReporter) -> Iterator[str]:
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and report.passed:
                for title, text in report.sections:
                    if title == nodes.SECTION_SHOWN:
                        yield from text.splitlines()
