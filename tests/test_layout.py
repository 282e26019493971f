"""The rooms stand in tiers: a room imports only rooms of lower tiers, never a neighbour (design §3)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "appliance"

TIERS: list[set[str]] = [
    {"_native"},
    {"base"},
    {"store", "media", "status"},
    {"settings", "workers"},
    {"certs"},
    {"mail", "auth", "sites"},
    {"recorder", "push", "serve", "connectivity"},
    {"streams"},
    {"actions", "alarms", "investigations", "notify", "measuring"},
    {"mobile", "web"},
    {"cli", "supervise"},
    {"compose"},
    {"__main__"},
]
TIER = {room: number for number, rooms in enumerate(TIERS) for room in rooms}

# The modules of a process are chosen by what it is, so two libraries belong to one room each.
ONLY_IN = {"av": {"workers"}, "simplejpeg": {"workers"}, "click": {"cli"}, "quart": {"web", "mobile"},
           "hypercorn": {"serve"}, "sqlalchemy": {"store", "auth", "sites", "settings", "recorder"}}  # fmt: skip
NOWHERE = {"asyncio", "anyio"}


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return parts[0].removesuffix(".py") if len(parts) == 1 else parts[0]


def sources() -> list[Path]:
    return [path for path in sorted(ROOT.rglob("*.py")) if "client" not in path.relative_to(ROOT).parts]


def imports_of(path: Path) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            module = node.module or ""
            found += [(node.lineno, f"{module}.{alias.name}") for alias in node.names]
    return found


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_only_go_down(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        return
    assert room in TIER, f"{room} has no tier: say where it stands in TIERS"
    for line, name in imports_of(path):
        top, _, rest = name.partition(".")
        if top in NOWHERE:
            pytest.fail(f"{path}:{line}: {top} has no place in this process")
        if top in ONLY_IN:
            assert room in ONLY_IN[top], f"{path}:{line}: {top} belongs to {ONLY_IN[top]}"
        if top != "appliance" or not rest:
            continue
        other = rest.split(".")[0]
        if other in (room, "__version__"):
            continue
        assert other in TIER, f"{path}:{line}: unknown room {other}"
        assert TIER[other] < TIER[room], f"{path}:{line}: {room} may not import its neighbour or superior {other}"


def test_every_room_has_a_tier_and_no_folder_shadows_a_library() -> None:
    rooms = {path.name for path in ROOT.iterdir() if path.is_dir() and any(path.rglob("*.py"))}
    assert rooms <= TIER.keys()
    for folder in ("build", "packaging"):
        assert not (ROOT.parent / folder / "__init__.py").exists()


def test_top_level_is_the_design_card() -> None:
    kept = {path.name for path in ROOT.parent.iterdir() if path.is_dir() and not path.name.startswith(".")}
    assert kept <= {"appliance", "_native", "build", "tests", "packaging", "docs", "bench", "dist",
                    "fanal.egg-info"}  # fmt: skip
