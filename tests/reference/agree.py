"""A kernel and its twin take the same packets, and are the same all the way."""

from __future__ import annotations

from typing import Any

COUNTERS = ("received", "lost", "late", "malformed", "foreign", "dropped", "highest", "ssrc", "oddities")


def counters(depacketizer: Any) -> list[int]:
    return [getattr(depacketizer, name) for name in COUNTERS]


def agree_in_runs(data: bytes, spans: list[tuple[int, int, int]], kernel: Any, twin: Any) -> None:
    """Many packets at a time: what completes, and where each run ends."""
    at = 0
    while at < len(spans):
        found = kernel.push_run(data, spans, at)
        assert found == twin.push_run(data, spans, at)
        assert found[1] > at
        at = found[1]
        assert counters(kernel) == counters(twin)
