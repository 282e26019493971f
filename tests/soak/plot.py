"""What a soak held, over time, as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

if TYPE_CHECKING:
    from pathlib import Path

    from tests.soak.run import Soak

INK, FAINT = "#26323a", "#d5dcdf"
COLOURS = {"resident MB": "#1f6f8b", "open files": "#a2542f", "tasks": "#5b7a2e"}


def draw(done: Soak, file: Path) -> None:
    """Resident memory, open files and tasks, one below the other, each from zero: growth looks as large as it is."""
    minutes = [each.at / 60 for each in done.held]
    series = {
        "resident MB": [each.rss_mb for each in done.held],
        "open files": [each.files for each in done.held],
        "tasks": [each.tasks for each in done.held],
    }
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots(len(series), sharex=True, height_ratios=[2, 1, 1])
    for axis, (name, values) in zip(axes, series.items(), strict=True):
        axis.plot(minutes, values, color=COLOURS[name], marker="o", markersize=3)
        axis.set_ylim(0, max(values) * 1.15)
        axis.set_ylabel(name, color=INK)
        axis.grid(axis="y", color=FAINT)
        axis.tick_params(colors=INK)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_title(f"{done.connects} viewers came and went in {minutes[-1]:.0f} minutes", color=INK, loc="left")
    axes[-1].set_xlabel("minutes", color=INK)
    figure.savefig(file, dpi=110)
