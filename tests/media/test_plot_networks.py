"""The pictures of docs/slow-networks.md can be drawn again, and what is noted is what the page says."""

from __future__ import annotations

from pathlib import Path

from tests.media.plot_networks import LIVE_EDGE_S, MEASURED_TITLE, SCENES, draw, measured
from tests.media.simulated_network import TRACES

PAGE = Path(__file__).parents[2] / "docs" / "slow-networks.md"


def test_the_measured_fall_is_drawn_and_its_picture_never_too_old(tmp_path: Path) -> None:
    rows, changes = measured(TRACES / "measured-fall.json")
    assert max(row.age_s for row in rows) < LIVE_EDGE_S
    assert min(row.kbps for row in rows) == 300
    assert {min(row.shares[name] for row in rows) < 100 for name in ("width", "rate", "quality")} == {True}
    assert rows[-1].shares == rows[0].shares  # it is all there again
    file = draw("network-measured", MEASURED_TITLE, rows, changes, tmp_path)
    assert file.read_bytes().startswith(b"\x89PNG")


def test_the_page_shows_all_that_is_drawn() -> None:
    shown = {name for name in PAGE.read_text().split("images/") if name.startswith("network-")}
    names = {each.partition(".png")[0] for each in shown}
    assert names == {scene.name for scene in SCENES} | {"network-measured"}
    assert all((PAGE.parent / "images" / f"{name}.png").exists() for name in names)
