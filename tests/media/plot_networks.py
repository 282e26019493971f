"""What a viewer gets on networks that fall, as pictures for docs/slow-networks.md.

    python -m tests.media.plot_networks docs/images

The networks are simulated (`simulated_network`), and the rules are the appliance's own; one is a cable between two
network namespaces with a real appliance and its client, as `tests.faults.record_fall` noted it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path

from matplotlib.figure import Figure

from appliance.media.ladder import Limit
from appliance.media.steps import Step, steps
from tests.media.simulated_network import TRACES, Link, Viewer, random_walk, simulate, steps_of, trace

INK, FAINT, BLUE, BROWN, GREEN = "#26323a", "#d5dcdf", "#1f6f8b", "#a2542f", "#5b7a2e"
TILE = steps((1920, 1080), (640, 360), 25, source_fps=25, limit=Limit(25, (1920, 1080)))
STREAMS = (4000.0, 500.0)  # kbit/s of the camera's two
BELOW = tuple(step for step in TILE if step.kbps < 400)
LINES = ((BLUE, 4), (GREEN, 2), (BROWN, 1), (INK, 3))
MEASURED_TITLE = "Measured: JPEG of 640x360 through a cable of 300 kbit/s from 10 s to 40 s, then 1 Mbit/s up to 60 s"
#: "Never more than two seconds" (F3).
LIVE_EDGE_S = 2.0


@dataclass(frozen=True)
class Scene:
    name: str
    title: str
    link: Link
    seconds: float
    direct: Sequence[float] = ()
    chain: Sequence[Step] = TILE


SCENES = (
    Scene(
        "network-falls",
        "JPEG of 640x360; the network falls from 10 Mbit/s to 300 kbit/s, and comes back",
        Link(steps_of((0, 10_000), (20, 300), (60, 10_000))),
        120,
    ),
    Scene(
        "network-falls-direct",
        "A camera's streams of 4 Mbit/s and 500 kbit/s; the network falls to 1 Mbit/s, then to 300 kbit/s",
        Link(steps_of((0, 8000), (20, 1000), (60, 300), (100, 8000))),
        180,
        STREAMS,
        BELOW,
    ),
    Scene(
        "network-mobile",
        "JPEG of 640x360; a mobile network (random walk with fades)",
        Link(random_walk(1, 150, 6000, 180)),
        180,
    ),
    Scene("network-lte", "JPEG of 640x360; of the shape of a drive with LTE", Link(trace("lte-drive")), 180),
    Scene("network-3g-oslo", "JPEG of 640x360; 3G in and around Oslo, as it was recorded", Link(trace("3g-oslo")), 262),
)


@dataclass(frozen=True)
class Row:
    """A moment.  ``shares``: what is sent, in percent of the best, by name; NaN where it is nothing of the kind."""

    at_s: float
    kbps: float  # what the network carries
    takes_kbps: float
    age_s: float
    shares: dict[str, float]


def simulated(scene: Scene) -> tuple[list[Row], int]:
    outcome = simulate(Viewer(scene.link, direct=scene.direct, chain=scene.chain), scene.seconds)
    rows = []
    for each in outcome.moments:
        made = scene.chain[each.step - len(scene.direct)].rung if each.step >= len(scene.direct) else None
        shares = {"width": nan, "rate": nan, "quality": nan}
        if made is not None:
            shares = {"width": made.width / 6.4, "rate": (made.fps or 25) * 4, "quality": made.quality / 0.75}
        if scene.direct:
            shares["direct: 100 main, 50 sub"] = 100 / (1 + each.step) if made is None else nan
        rows.append(Row(each.at_s, each.kbps, each.takes_kbps, each.age_s, shares))
    return [row for row in rows if row.at_s >= 1], len(outcome.switches)


def measured(file: Path) -> tuple[list[Row], int]:
    """What `tests.faults.record_fall` noted."""
    noted = json.loads(file.read_text())
    moments = [dict(zip(noted["columns"], row, strict=True)) for row in noted["rows"]]
    shares = {"width": "width", "rate": "fps", "quality": "quality"}
    rows = [
        Row(
            row["at_s"],
            row["carries_kbps"],
            row["takes_kbps"] or nan,
            row["age_s"],
            {name: 100 * row[each] / moments[0][each] for name, each in shares.items()},
        )
        for row in moments
    ]
    return rows, noted["changes"]


def draw(name: str, title: str, rows: Sequence[Row], changes: int, folder: Path) -> Path:
    """Rate, age of the picture, and what is sent, one below the other."""
    at = [row.at_s for row in rows]
    figure = Figure(figsize=(9, 6), layout="constrained")
    rate, age, sent = figure.subplots(3, sharex=True, height_ratios=[2, 1.2, 1.5])
    rate.plot(at, [max(1.0, row.kbps) for row in rows], color=FAINT, linewidth=3, label="the network carries")
    rate.plot(at, [row.takes_kbps for row in rows], color=BLUE, label="what is sent takes")
    rate.set_yscale("log")
    rate.set_ylabel("kbit/s", color=INK)
    age.plot(at, [row.age_s for row in rows], color=BROWN)
    age.axhline(LIVE_EDGE_S, color=INK, linestyle="--", linewidth=1)
    age.set_ylim(0, 1.2 * max(LIVE_EDGE_S, *(row.age_s for row in rows)))
    age.set_ylabel("age, s", color=INK)
    for share, (colour, width) in zip(rows[0].shares, LINES, strict=False):
        values = [row.shares[share] for row in rows]
        sent.plot(at, values, color=colour, linewidth=width, drawstyle="steps-post", label=share)
    sent.set_ylim(0, 110)
    sent.set_ylabel("% of the best", color=INK)
    sent.set_xlabel("seconds", color=INK)
    for axis in (rate, sent):
        axis.legend(loc="lower right", frameon=False, ncols=4, fontsize=8)
    for axis in (rate, age, sent):
        axis.grid(axis="y", color=FAINT)
        axis.tick_params(colors=INK)
        axis.spines[["top", "right"]].set_visible(False)
    summary = f"oldest picture {max(row.age_s for row in rows):.1f} s, {changes} changes"
    rate.set_title(f"{title}\n{summary}", color=INK, loc="left", fontsize=10)
    file = folder / f"{name}.png"
    figure.savefig(file, dpi=100, metadata={"Software": None})  # else each version of the library makes another file
    return file


def main(folder: Path) -> None:
    for scene in SCENES:
        print(draw(scene.name, scene.title, *simulated(scene), folder))
    print(draw("network-measured", MEASURED_TITLE, *measured(TRACES / "measured-fall.json"), folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
