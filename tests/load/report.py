"""Figures beside their goals and ceilings: a table for people, JSON for whoever compares."""

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Literal

Sense = Literal["<", ">="]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What was measured, once per repeat.

    `ceilings` are of the same repeats: what the machine does with the product left out. For times
    and costs that is the least, for rates the most.
    """

    name: str
    unit: str
    values: Sequence[float]
    ceilings: Sequence[float] = ()
    ceiling_is: str = ""
    sense: Sense = "<"
    goal: float | None = None

    @property
    def value(self) -> float:
        return median(self.values)

    @property
    def ceiling(self) -> float | None:
        return median(self.ceilings) if self.ceilings else None

    @property
    def ratio(self) -> float | None:
        """The median of the repeats' own ratios: noise that hits both goes out of it."""
        pairs = zip(self.values, self.ceilings, strict=False)
        return median(value / ceiling for value, ceiling in pairs) if self.ceilings else None

    @property
    def met(self) -> bool | None:
        if self.goal is None:
            return None
        return self.value < self.goal if self.sense == "<" else self.value >= self.goal

    def as_json(self) -> dict[str, Any]:
        summary = {name: getattr(self, name) for name in ("value", "ceiling", "ratio", "met")}
        return {**asdict(self), **summary}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One part of the benchmark: its figures, and how busy the machine and the generator were."""

    part: str
    figures: Sequence[Figure]
    took_s: float
    load_before: float
    load_after: float
    generator_cpu_s: float
    notes: Sequence[str] = ()


HEADINGS = ("figure", "median", "goal", "ceiling", "ratio", "", "repeats")


def as_table(outcome: Outcome) -> str:
    """The figures of one part in columns."""
    rows = [HEADINGS, *(_row(figure) for figure in outcome.figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    busy = (
        f"{outcome.took_s:.0f} s, load average {outcome.load_before:.1f} before and "
        f"{outcome.load_after:.1f} after, generator {outcome.generator_cpu_s:.1f} s of CPU"
    )
    ceilings = {f.ceiling_is: None for f in outcome.figures if f.ceiling_is}
    notes = [*(f"ceiling: {what}" for what in ceilings), *outcome.notes]
    return "\n".join([f"== {outcome.part} ({busy})", *lines, *(f"   {note}" for note in notes)])


def write_json(folder: Path, outcomes: Iterable[Outcome]) -> Path:
    """Keep a run; returns its file."""
    now = datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{now:%Y%m%d-%H%M%S}.json"
    run = {
        "at": now.isoformat(),
        "machine": {
            "cpus": os.cpu_count(),
            "python": platform.python_version(),
            "system": platform.platform(),
        },
        "parts": [
            {**asdict(outcome), "figures": [figure.as_json() for figure in outcome.figures]}
            for outcome in outcomes
        ],
    }
    path.write_text(json.dumps(run, indent=2) + "\n")
    return path


def _row(figure: Figure) -> tuple[str, ...]:
    goal = "" if figure.goal is None else f"{figure.sense} {_number(figure.goal)}"
    verdict = {None: "", True: "met", False: "MISSED"}[figure.met]
    return (
        figure.name,
        f"{_number(figure.value)} {figure.unit}",
        goal,
        "" if figure.ceiling is None else _number(figure.ceiling),
        "" if figure.ratio is None else f"{figure.ratio:.2f}",
        verdict,
        " ".join(_number(value) for value in figure.values),
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"
