"""The ring holds the current group of pictures, and nothing that could not be decoded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from appliance.media.fmp4 import Fragment
from appliance.media.ring import GopRing
from appliance.media.units import Run

RUN = Run(0)


def fragment(kind: str, size: int = 10) -> Fragment:
    return Fragment(bytes(size), 0, kind == "a", kind in "aI", 0, 0, RUN, kind == "L")


def test_a_viewer_gets_everything_since_the_last_idr() -> None:
    ring = GopRing()
    units = [fragment(kind) for kind in "PPaIPaPIaPP"]
    for unit in units:
        ring.push(unit)
    assert ring.fragments == units[7:]
    assert ring.size == 40


def test_what_leads_the_first_picture_is_not_for_who_starts_with_it() -> None:
    ring = GopRing()
    units = [fragment(kind) for kind in "IPPILLaPP"]
    for unit in units:
        ring.push(unit)
    assert ring.fragments == [units[3], *units[6:]]
    assert ring.size == 40


def test_before_the_first_idr_there_is_nothing() -> None:
    ring = GopRing()
    for kind in "aPPa":
        ring.push(fragment(kind))
    assert ring.fragments == []


def test_a_group_too_long_is_not_kept_and_the_next_one_is() -> None:
    ring = GopRing(limit=35)
    for kind in "IPPP":
        ring.push(fragment(kind))
    assert ring.overflowed
    assert ring.fragments == []
    ring.push(fragment("I"))
    assert not ring.overflowed
    assert len(ring.fragments) == 1


def test_a_picture_that_is_larger_than_the_ring_is_all_that_it_holds() -> None:
    ring = GopRing(limit=35)
    for _ in range(2):  # as each picture of MJPEG is
        ring.push(fragment("I", 100))
        assert ([len(each.message) for each in ring.fragments], ring.overflowed, ring.size) == ([100], False, 100)
    ring.push(fragment("P"))
    assert (ring.fragments, ring.overflowed) == ([], True)


def test_a_reader_of_the_old_group_is_not_disturbed_by_the_next() -> None:
    ring = GopRing()
    ring.push(fragment("I"))
    seen = ring.fragments
    ring.push(fragment("I"))
    assert len(seen) == 1
    assert seen[0] is not ring.fragments[0]


@given(st.lists(st.tuples(st.sampled_from("IPa"), st.integers(1, 50)), max_size=60))
def test_the_bound_holds_and_the_first_is_an_idr(units: list[tuple[str, int]]) -> None:
    ring = GopRing(limit=100)
    for kind, size in units:
        ring.push(fragment(kind, size))
        assert sum(len(unit.message) for unit in ring.fragments) == ring.size <= 100
        assert not ring.fragments or (ring.fragments[0].is_idr and not ring.fragments[0].is_audio)
