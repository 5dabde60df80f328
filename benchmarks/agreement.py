"""How well ``hubpub list`` agrees with the real ``torch.hub.list`` on real publishers.

    python benchmarks/agreement.py CHECKOUTS publishers.json

CHECKOUTS holds one folder per repository, called ``owner+name`` (or ``owner__name``, or
``owner/name``), at the commit that the record names. ``publishers.json`` is a list of records with
at least ``repo`` and ``truth_list`` (the names that the real loader returned, null where it
failed); ``hubconf_sha256`` tells a checkout at another commit, which is left out and said so.
Nothing of a checkout is run.

A repository agrees when the names are exactly those of the truth. With ``dynamic`` places it need
not: then only a surplus name of certainty ``certain`` counts against it. The exit status is 1 where
anything disagrees.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubpub.source import read


@dataclass(frozen=True)
class Score:
    """One repository: ``verdict`` is exact, dynamic, wrong, no-truth or other-commit."""

    repo: str
    verdict: str
    missing: tuple[str, ...]
    surplus: tuple[str, ...]
    seconds: float
    lines: int
    dynamic: int


def checkout(base: Path, repo: str) -> Path | None:
    for name in (repo.replace("/", "+"), repo.replace("/", "__"), repo):
        if (base / name).is_dir():
            return base / name
    return None


def score(root: Path, record: dict[str, Any]) -> Score:
    start = time.perf_counter()
    facts = read(root)
    seconds = time.perf_counter() - start
    lines = sum(len(text.starts) for path, text in facts.texts.items() if path.endswith(".py"))
    hubconf = root / "hubconf.py"
    digest = hashlib.sha256(hubconf.read_bytes()).hexdigest() if hubconf.is_file() else None
    truth = record["truth_list"]
    listed = {item.name: item.certainty for item in facts.entrypoints}
    missing = tuple(sorted(set(truth or ()) - set(listed)))
    surplus = tuple(sorted(set(listed) - set(truth or ())))
    certain = [name for name in surplus if listed[name] == "certain"]
    if record.get("hubconf_sha256") not in {None, digest}:
        verdict = "other-commit"
    elif truth is None:
        verdict = "no-truth"
    elif not missing and not surplus:
        verdict = "exact"
    else:
        verdict = "dynamic" if facts.dynamic and not certain else "wrong"
    return Score(record["repo"], verdict, missing, surplus, seconds, lines, len(facts.dynamic))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("checkouts", type=Path)
    parser.add_argument("publishers", type=Path)
    given = parser.parse_args()
    scores = []
    for record in json.loads(given.publishers.read_text(encoding="utf-8")):
        root = checkout(given.checkouts, record["repo"])
        if root is None:
            print(f"{'absent':12} {record['repo']}")
            continue
        scores.append(one := score(root, record))
        print(
            f"{one.verdict:12} {one.repo:40} {one.seconds:6.2f} s {one.lines:7} lines"
            f" {one.dynamic} dynamic"
        )
        for sign, names in (("-", one.missing), ("+", one.surplus)):
            if names and one.verdict in {"wrong", "dynamic"}:
                print(f"{'':12} {sign} {', '.join(names)}")
    judged = [one for one in scores if one.verdict in {"exact", "dynamic", "wrong"}]
    exact = sum(one.verdict == "exact" for one in judged)
    wrong = sum(one.verdict == "wrong" for one in judged)
    lines, seconds = sum(one.lines for one in scores), sum(one.seconds for one in scores)
    print(f"exact {exact} of {len(judged)}, wrong {wrong}; read {lines} lines in {seconds:.1f} s")
    if lines:
        print(f"{1e6 * seconds / lines:.1f} ms per 1,000 lines")
    return 1 if wrong or not judged else 0


if __name__ == "__main__":
    sys.exit(main())
