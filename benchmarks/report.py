"""What the page of a report costs, as ratios: against json.dumps of the same report.

    python benchmarks/report.py [ENTRYPOINTS [ROUNDS]]

A report of so many entrypoints (500) with every axis, on two devices, rendered as HTML and written
as JSON, in turn; medians of the rounds (5), and the size of both. The first page has the templates
to read, and is told apart.
"""

from __future__ import annotations

import functools
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from hubpub.output import reports
from many_results import many


def seconds(call: Callable[[], str]) -> tuple[float, str]:
    """The wall time of one call, and what it gave."""
    start = time.perf_counter()
    text = call()
    return time.perf_counter() - start, text


def main() -> None:
    """Make the report, measure, print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    first, _ = seconds(lambda: reports.render("html", many(1)))
    report = many(count)
    taken: dict[str, list[float]] = {"html": [], "json": []}
    sizes = {}
    for _ in range(rounds):
        for name, spans in taken.items():
            spent, text = seconds(functools.partial(reports.render, name, report))
            spans.append(spent)
            sizes[name] = len(text.encode())
    floor, _ = seconds(lambda: json.dumps(report))
    html, text_json = (statistics.median(taken[name]) for name in ("html", "json"))
    print(f"first page (one entrypoint, templates read): {first * 1000:.0f} ms")
    print(
        f"{count} entrypoints, 2 devices: html {html * 1000:.0f} ms, {sizes['html'] / 1e6:.2f} MB"
    )
    print(f"json as a report: {text_json * 1000:.0f} ms, {sizes['json'] / 1e6:.2f} MB")
    print(f"json.dumps alone: {floor * 1000:.0f} ms")
    print(
        f"ratio html / json.dumps: {html / floor:.1f} in time, "
        f"{sizes['html'] / sizes['json']:.2f} in size; medians of {rounds} rounds"
    )


if __name__ == "__main__":
    main()
