"""What a bench found, as data, as text on the terminal and as Markdown."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Finding:
    """One number against its target.

    ``target``: at most (or with ``at_least`` at least) so much; None: there is none.  ``spread``: the least and the
    greatest of the rounds.
    """

    what: str
    measured: float
    unit: str
    target: float | None = None
    at_least: bool = False
    spread: tuple[float, float] | None = None
    note: str = ""

    @property
    def reached(self) -> bool | None:
        if self.target is None:
            return None
        return self.measured >= self.target if self.at_least else self.measured <= self.target


@dataclass
class Section:
    """The answer to one question."""

    name: str
    title: str
    method: str
    findings: list[Finding] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failure: str = ""  # what kept it from being measured

    def find(self, what: str, values: float | Sequence[float], unit: str, **more: Any) -> Finding:
        """Add a finding: a number, or the median of several with their spread."""
        if isinstance(values, float | int):
            finding = Finding(what, float(values), unit, **more)
        else:
            finding = Finding(what, statistics.median(values), unit, spread=(min(values), max(values)), **more)
        self.findings.append(finding)
        return finding

    def table(self, *head: str) -> Table:
        """Add a table."""
        table = Table(list(head))
        self.tables.append(table)
        return table

    def data(self) -> dict[str, Any]:
        """As JSON."""
        found = asdict(self)
        for row, finding in zip(found["findings"], self.findings, strict=True):
            row["reached"] = finding.reached
        return found

    def markdown(self) -> str:
        if self.failure:
            return f"## {self.title}\n\nNot measured. {self.failure}"
        parts = [f"## {self.title}", self.method]
        if self.findings:
            parts.append(findings_table(self.findings))
        parts += [table.markdown() for table in self.tables]
        parts += [f"- {note}" for note in self.notes]
        return "\n\n".join(parts[: len(parts) - len(self.notes)]) + (
            "\n\n" + "\n".join(f"- {note}" for note in self.notes) if self.notes else ""
        )


@dataclass
class Table:
    head: list[str]
    rows: list[list[str]] = field(default_factory=list)

    def add(self, *cells: object) -> None:
        self.rows.append([cell if isinstance(cell, str) else shown(cell) for cell in cells])

    def markdown(self) -> str:
        lines = ["| " + " | ".join(self.head) + " |", "|" + "---|" * len(self.head)]
        return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in self.rows])


def findings_table(findings: Sequence[Finding]) -> str:
    table = Table(["what", "measured", "rounds", "target", ""])
    for each in findings:
        target = (
            "" if each.target is None else f"{'≥' if each.at_least else '≤'} {shown(each.target)} {each.unit}".strip()
        )
        spread = "" if each.spread is None else f"{shown(each.spread[0])} – {shown(each.spread[1])}"
        verdict = {None: "", True: "reached", False: "**missed**"}[each.reached]
        note = f"{verdict}{'; ' if verdict and each.note else ''}{each.note}"
        table.add(each.what, f"{shown(each.measured)} {each.unit}".strip(), spread, target, note)
    return table.markdown()


def shown(value: object) -> str:
    """A number to three significant places."""
    if value is None:
        return "–"
    if not isinstance(value, float | int) or isinstance(value, bool):
        return str(value)
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    if abs(value) < 0.1:
        return f"{value:.3f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
