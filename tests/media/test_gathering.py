"""Which coded pictures are decoded together."""

from __future__ import annotations

import pytest

from appliance.media.gathering import MOST_BYTES, MOST_PICTURES, MOST_SAMPLES, Gathering

SMALL, HD, UHD = 640 * 360, 1920 * 1080, 3840 * 2160
RATE = 25
INTERVAL = 90_000 // RATE


def taken(gathering: Gathering, count: int, rates: set[float | None], *, first: int = 0, data: bytes = b"x") -> list:
    """By picture: how many were decoded before it, None: it waits."""
    given = [gathering.take(data, n * INTERVAL, rates) for n in range(first, first + count)]
    return [None if before is None else len(before) for before in given]


def prompt(samples: int = HD) -> Gathering:
    gathering = Gathering(samples)
    gathering.may_wait = True
    return gathering


def test_what_nobody_is_due_for_waits_for_what_somebody_is() -> None:
    gathering = prompt()
    assert taken(gathering, 11, {5.0}) == [0, *4 * [None], 4, *4 * [None], 4]
    assert gathering.take(b"11", 11 * INTERVAL, {5.0}) is None
    assert gathering.take(b"15", 15 * INTERVAL, {5.0}) == [(b"11", 11 * INTERVAL)]


@pytest.mark.parametrize("rates", [{None}, {5.0, None}, {25.0, 5.0}])
def test_where_each_is_due_none_waits(rates) -> None:
    assert taken(prompt(), 10, rates) == [0] * 10


def test_a_rate_that_is_due_more_often_is_not_kept_waiting() -> None:
    assert taken(prompt(), 10, {5.0, 12.5}) == [0, None, 1, None, 1, 0, 0, None, 1, None]


def test_none_waits_where_the_decoder_keeps_pictures_back() -> None:
    gathering = Gathering(HD)
    assert taken(gathering, 10, {5.0}) == [0] * 10
    gathering.may_wait = True
    assert taken(gathering, 6, {5.0}, first=10) == [0, *4 * [None], 4]


def test_what_ends_a_group_is_left_out() -> None:
    gathering = prompt()
    assert taken(gathering, 10, {5.0})[-4:] == [None] * 4
    gathering.forget()  # a key frame comes
    assert taken(gathering, 1, {5.0}, first=10) == [0]


def test_who_comes_does_not_wait() -> None:
    gathering = prompt()
    assert taken(gathering, 3, {5.0}) == [0, None, None]
    gathering.hurry()
    assert taken(gathering, 3, {5.0}, first=3) == [2, None, 1]


def test_pictures_that_are_not_shown_are_given_together_with_the_one_that_is() -> None:
    gathering = prompt()
    assert taken(gathering, 5, set()) == [None] * 5
    assert taken(gathering, 1, {None}, first=5) == [5]


@pytest.mark.parametrize(("samples", "most"), [(HD, MOST_SAMPLES // HD), (UHD, 1), (SMALL, MOST_PICTURES)])
def test_few_are_decoded_at_once(samples, most) -> None:
    """So that neither the picture that was waited for nor another stream of the worker comes late."""
    gathering = prompt(samples)
    sizes = [n + 1 for n in taken(gathering, 100, {0.25}) if n is not None]
    assert max(sizes) == most
    assert most * samples <= MOST_SAMPLES


def test_few_bytes_wait() -> None:
    quarter = bytes(MOST_BYTES // 4)
    assert taken(prompt(SMALL), 9, {1.0}, data=quarter) == [0, *4 * [None], 4, *3 * [None]]
    assert taken(prompt(SMALL), 3, {1.0}, data=bytes(MOST_BYTES + 1)) == [0, 0, 0]
