"""Plots of what a run cost: a bar for each entrypoint, the number beside it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hubpub.output.report_results import downloaded, ran, seconds
from hubpub.output.report_text import size

SHOWN = 12
"""Bars that are seen at once; the others are folded away."""
_WIDE = 100
"""How many times the smallest the largest is from which the scale is logarithmic."""
_STEPS = (1, 2, 4, 6, 8, 10)
"""What a linear axis may end with, times a power of ten: each a whole with its quarters."""


@dataclass(frozen=True)
class Bar:
    """``length`` is in per cent of the axis."""

    anchor: str
    name: str
    length: float
    shown: str


@dataclass(frozen=True)
class Tick:
    """A line of the scale, in per cent from the left."""

    at: float
    shown: str


@dataclass(frozen=True)
class Plot:
    """Bars, the longest first. ``log``: dots on a logarithmic scale, whose start is not zero."""

    title: str
    about: str
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    log: bool


def plots(report: Mapping[str, Any]) -> list[Plot]:
    """Time, memory and downloads by entrypoint; each only where something was measured."""
    names = [item["name"] for item in report["entrypoints"]]
    times = {item["name"]: seconds(item) for item in report["entrypoints"]}
    memory: dict[str, float] = {}
    for name, result in ran(report):
        memory[name] = max(memory.get(name, 0), result["facts"]["peak_bytes"])
    brought = {str(name): float(count) for name, count in downloaded(report).items() if name}
    asked = (
        ("Time", "all jobs of the entrypoint", times, span, 1.0),
        ("Peak memory", "the largest of its jobs", memory, _bytes, 1024.0),
        ("Downloaded", "from the network, all jobs", brought, _bytes, 1024.0),
    )
    made = (
        _plot(title, about, [(f"e{n}", x, values.get(x, 0.0)) for n, x in enumerate(names, 1)],
              say, unit)
        for title, about, values, say, unit in asked
    )  # fmt: skip
    return [plot for plot in made if plot is not None]


def _plot(
    title: str,
    about: str,
    values: Sequence[tuple[str, str, float]],
    say: Callable[[float], str],
    unit: float,
) -> Plot | None:
    some = sorted((item for item in values if item[2] > 0), key=lambda item: (-item[2], item[1]))
    if not some:
        return None
    numbers = [value for _, _, value in some]
    log = numbers[0] > _WIDE * numbers[-1]
    place, ticks = (_log if log else _linear)(numbers, say, unit)
    if len(some) > 1:
        middle = say(statistics.median(numbers))
        about += f": {say(sum(numbers))} in all, median {middle}" if title != "Peak memory" else (
            f": median {middle}"
        )  # fmt: skip
    bars = tuple(
        Bar(anchor, name, round(place(value), 2), say(value)) for anchor, name, value in some
    )
    return Plot(title, about, bars, ticks, log)


def _linear(
    numbers: Sequence[float], say: Callable[[float], str], unit: float
) -> tuple[Callable[[float], float], tuple[Tick, ...]]:
    """From zero to a round number at or above the largest, with its quarters."""
    largest = numbers[0]
    whole = _whole(largest, unit)
    power = 10.0 ** math.floor(math.log10(largest / whole))
    end = next(step * power for step in _STEPS if step * power * whole >= largest * 0.999999)
    ticks = tuple(Tick(25.0 * n, say(end * whole * n / 4) if n else "0") for n in range(5))
    return (lambda value: 100 * value / (end * whole)), ticks


def _whole(value: float, unit: float) -> float:
    """The unit that ``value`` is told in: for bytes a power of 1024, for seconds as spoken."""
    if unit == 1024:
        return float(1024 ** int(math.log(max(value, 1), 1024)))
    return next((each for each in (3600.0, 60.0) if value >= 2 * each), 1.0)


def _log(
    numbers: Sequence[float], say: Callable[[float], str], unit: float
) -> tuple[Callable[[float], float], tuple[Tick, ...]]:
    """Decades (of bytes: factors of 32), from below the smallest to above the largest."""
    factor = 32.0 if unit == 1024 else 10.0
    first = math.floor(math.log(numbers[-1], factor) + 1e-9)
    last = max(math.ceil(math.log(numbers[0], factor) - 1e-9), first + 1)
    every = math.ceil((last - first) / 6)
    ticks = tuple(
        Tick(round(100 * (n - first) / (last - first), 2), say(factor**n))
        for n in range(first, last + 1, every)
    )
    return (lambda value: 100 * (math.log(value, factor) - first) / (last - first)), ticks


def _bytes(value: float) -> str:
    return size(round(value))


def span(value: float) -> str:
    """Seconds for a person: 4 ms, 1.3 s, 2.5 min, 1.1 h."""
    for limit, whole, unit in ((1, 0.001, "ms"), (120, 1, "s"), (7200, 60, "min")):
        if value < limit:
            return _digits(value / whole, unit)
    return _digits(value / 3600, "h")


def _digits(amount: float, unit: str) -> str:
    if unit == "ms":
        return f"{amount:.0f} ms" if amount >= 1 or amount == 0 else f"{amount:.2g} ms"
    text = f"{amount:.0f}" if amount >= 100 else f"{amount:.1f}"
    return f"{text} {unit}"
