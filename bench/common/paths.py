"""Where the benches find and keep things."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench"
CACHE = ROOT / ".cache" / "bench"  # footage, the built load client, peers; made anew where it is missing
