"""What ``hubpub check`` says of real publishers, against labels that people gave them.

    python benchmarks/judgement.py CHECKOUTS publishers.json [--show CODE]

CHECKOUTS and ``publishers.json`` are as for agreement.py; records also have ``defects``: a
``class``, a line (0 for the whole file) and a note each. A label counts as found when one of the
codes that stand for its class fires in that repository. Precision cannot be counted by a program:
``--show CODE`` prints every finding of a code (or of a prefix) with its line, to be read.

Printed are, per code, how many findings in how many repositories; the labels that are not found;
and every error in a repository that the real loader can list, which is where a false one would
hurt most. Nothing of a checkout is run, and ``--online`` is not used.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agreement import checkout

from hubpub.check import CheckResult, check
from hubpub.diagnostic import Diagnostic, Severity

STANDS_FOR: dict[str, tuple[str, ...]] = {
    "broken_on_current_python_or_deps": (),  # a matter of versions, which nothing static sees
    "broken_reexport": ("HUB209", "HUB211", "HUB212"),
    "check_hash_vacuous": ("HUB404",),
    "checkpoint_path_not_in_repo": ("HUB411", "HUB412"),
    "deps_missing": ("HUB101",),
    "deps_own_module": ("HUB107",),
    "deps_stdlib": ("HUB107",),
    "deps_undeclared_import": ("HUB105",),
    "deps_undeclared_import_beyond_numpy": ("HUB105",),
    "deps_undeclared_lazy_import": ("HUB105",),
    "device_default_cuda": ("HUB504",),
    "docstring_mentions_no_argument": ("HUB202",),
    "entry_mandatory_args": ("HUB206",),
    "entry_no_docstring": ("HUB201",),
    "function_name_mismatch": ("HUB205", "HUB211"),
    "generic_module_name_collision": ("HUB501",),
    "hash_in_url_but_not_checked": ("HUB403", "HUB405"),
    "import_of_nonexistent_module": ("HUB212",),
    "import_time_install_or_build": ("HUB111", "HUB503", "HUB607"),
    "imports_modules_not_callables": ("HUB209",),
    "leak_any": ("HUB203", "HUB204"),
    "leak_own_class": ("HUB203", "HUB204"),
    "leak_own_helper": ("HUB203", "HUB204"),
    "leak_stdlib_or_torch": ("HUB203",),
    "leak_third_party": ("HUB203",),
    "lfs_pointer": ("HUB412", "HUB602"),
    "loop_variable_leak": ("HUB203", "HUB204"),
    "lsdfu_no_check_hash": ("HUB402", "HUB403", "HUB405"),
    "lsdfu_no_map_location": ("HUB407",),
    "lsdfu_not_weights_only": ("HUB406",),
    "mandatory_args_hidden_behind_varargs": ("HUB206",),
    "mutable_url": ("HUB306",),
    "nested_hub_load": ("HUB301", "HUB303", "HUB304", "HUB305"),
    "nested_hub_load_unpinned": ("HUB301",),
    "no_pretrained_switch": ("HUB208",),
    "pretrained_false_still_downloads": ("HUB208",),
    "readme_example_unpinned": ("HUB302",),
    "readme_names_missing_entry": ("HUB209", "HUB211"),
    "readme_old_owner_name": ("HUB307",),
    "submodule": ("HUB212", "HUB601"),
    "sys_path_mutation": ("HUB502",),
    "toplevel_import_preempts_dep_check": ("HUB105", "HUB109"),
    "torch_load_cwd_relative": ("HUB411",),
    "torch_load_no_map_location": ("HUB407",),
    "torch_load_weights_only_false": ("HUB406",),
    "torch_load_weights_only_unset": ("HUB406",),
    "trust_remote_code": ("HUB507",),
    "weight_url_without_hash": ("HUB402", "HUB404", "HUB405"),
    "weights_outside_hub_cache": ("HUB413",),
}
"""Label -> the codes that say the same; none where no static rule can."""


def missed(found: CheckResult, record: dict[str, Any]) -> list[str]:
    """The labels of a repository for which nothing fires, one line each."""
    codes = {item.code for item in found.diagnostics}
    return [
        f"{record['repo']}: {label['class']} (line {label['line']}): {label['note'][:90]}"
        for label in record["defects"]
        if not codes & set(STANDS_FOR[label["class"]])
    ]


@dataclass
class Tally:
    """What was found in all repositories together."""

    findings: Counter[tuple[str, str]] = field(default_factory=Counter)
    repositories: Counter[str] = field(default_factory=Counter)
    unfound: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    labels: int = 0

    def add(self, found: CheckResult, record: dict[str, Any]) -> None:
        """Count one repository."""
        self.findings.update((item.code, item.severity.label) for item in found.diagnostics)
        self.repositories.update({item.code for item in found.diagnostics})
        self.labels += len(record["defects"])
        self.unfound += missed(found, record)
        if record["truth_list"] is not None:
            self.errors += [
                f"{record['repo']} {said(item)}"
                for item in found.diagnostics
                if item.severity is Severity.ERROR
            ]


def said(item: Diagnostic) -> str:
    return f"{item.path}:{item.span.line}: {item.code} {item.message}"


def show(repo: str, found: CheckResult, prefix: str) -> None:
    for item in found.diagnostics:
        if item.code.startswith(prefix):
            text = found.sources.get(item.path)
            line = text.line(item.span.line) if text is not None else ""
            print(f"{repo} {said(item)}\n    {line.strip()[:140]!r}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("checkouts", type=Path)
    parser.add_argument("publishers", type=Path)
    parser.add_argument("--show", metavar="CODE", help="print each finding of these codes")
    options = parser.parse_args()
    tally, absent = Tally(), 0
    for record in json.loads(options.publishers.read_text(encoding="utf-8")):
        root = checkout(options.checkouts, record["repo"])
        if root is None:
            absent += 1
            continue
        result = check(root)
        tally.add(result, record)
        if options.show:
            show(record["repo"], result, options.show)
    report(tally, absent)
    return 0


def report(tally: Tally, absent: int) -> None:
    for (code, severity), count in sorted(tally.findings.items()):
        where = tally.repositories[code]
        print(f"{code} {severity:7} {count:5} findings, {where:3} repositories")
    print(f"\nerrors in repositories that the loader lists: {len(tally.errors)}")
    print("".join(f"  {line}\n" for line in tally.errors), end="")
    found = tally.labels - len(tally.unfound)
    print(f"\nlabels: {found} of {tally.labels} found; {absent} repositories not there")
    print("".join(f"  {line}\n" for line in tally.unfound), end="")


if __name__ == "__main__":
    sys.exit(main())
