from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from appliance.auth.rights import LOCAL, Principal, Role
from appliance.auth.tickets import LIFE_S, PER_USER, PLAYING_S, Tickets
from appliance.base.faults import Fault, Kind

if TYPE_CHECKING:
    from appliance.auth.sessions import Sessions

PATH = "/api/v1/cameras/c1/live.mp4"
VERA = Principal("u1", "vera", Role.VIEWER, "s1")


class SomeSessions:
    def __init__(self, *open_ones: str) -> None:
        self.open_ones = set(open_ones)

    def is_open(self, session_id: str) -> bool:
        return session_id in self.open_ones


def tickets(*open_ones: str) -> Tickets:
    sessions: Sessions = SomeSessions(*open_ones)  # type: ignore[assignment]
    return Tickets(sessions)


def refused(box: Tickets, ticket: str, path: str = PATH) -> bool:
    try:
        box.redeem(ticket, path)
    except Fault as fault:
        return (fault.kind, fault.code) == (Kind.UNAUTHENTICATED, "bad_ticket")
    return False


async def test_a_ticket_stands_for_its_user_and_camera_as_often_as_a_player_asks(
    mock_clock: trio.testing.MockClock,
) -> None:
    box = tickets("s1")
    ticket = box.issue(VERA, "c1", PATH).reveal()
    for _ in range(3):
        assert box.redeem(ticket, PATH) == (VERA, "c1")
    mock_clock.jump(LIFE_S - 1)
    assert box.redeem(ticket, PATH) == (VERA, "c1")
    mock_clock.jump(1)
    assert refused(box, ticket)


async def test_a_ticket_is_for_one_path(mock_clock: trio.testing.MockClock) -> None:
    box = tickets("s1")
    ticket = box.issue(VERA, "c1", PATH).reveal()
    for path in ("", "/", PATH + "/", PATH.replace("c1", "c2"), PATH.replace("live.mp4", "live.mjpeg"), PATH.upper()):
        assert refused(box, ticket, path)


async def test_a_playing_ticket_is_for_what_is_below_its_path_and_lives_by_use(
    mock_clock: trio.testing.MockClock,
) -> None:
    sessions = SomeSessions("s1")
    box = Tickets(sessions)  # type: ignore[arg-type]
    below = "/api/v1/cameras/c1/hls/main/av/"
    ticket = box.issue_playing(VERA, "c1", below).reveal()
    for _ in range(100):
        mock_clock.jump(PLAYING_S - 1)
        assert box.redeem(ticket, below + "live.m3u8") == (VERA, "c1")
    for path in (below[:-1], PATH, below.replace("c1", "c2"), below.replace("av", "video") + "live.m3u8", ""):
        assert refused(box, ticket, path)
    mock_clock.jump(1)
    sessions.open_ones.clear()
    assert refused(box, ticket, below + "live.m3u8")
    sessions.open_ones.add("s1")
    assert not refused(box, ticket, below + "live.m3u8")
    mock_clock.jump(PLAYING_S)
    assert refused(box, ticket, below + "live.m3u8")


async def test_a_ticket_ends_with_its_session(mock_clock: trio.testing.MockClock) -> None:
    sessions = SomeSessions("s1")
    box = Tickets(sessions)  # type: ignore[arg-type]
    ticket = box.issue(VERA, "c1", PATH).reveal()
    sessions.open_ones.clear()
    assert refused(box, ticket)


async def test_the_local_administrator_needs_no_session(mock_clock: trio.testing.MockClock) -> None:
    box = tickets()
    assert box.redeem(box.issue(LOCAL, "c1", PATH).reveal(), PATH) == (LOCAL, "c1")


async def test_tickets_are_long_random_and_do_not_print(mock_clock: trio.testing.MockClock) -> None:
    box = tickets("s1")
    made = [box.issue(VERA, "c1", PATH) for _ in range(50)]
    assert len({ticket.reveal() for ticket in made}) == 50
    assert all(len(ticket.reveal()) == 43 for ticket in made)
    assert made[0].reveal() not in repr(made[0]) + repr(vars(box))


async def test_one_user_cannot_fill_the_memory_or_push_out_anothers(mock_clock: trio.testing.MockClock) -> None:
    box = tickets("s1", "s2")
    other = Principal("u2", "anna", Role.VIEWER, "s2")
    hers = box.issue(other, "c1", PATH).reveal()
    first = box.issue(VERA, "c1", PATH).reveal()
    for _ in range(PER_USER):
        last = box.issue(VERA, "c1", PATH).reveal()
    assert len(box) == PER_USER + 1
    assert refused(box, first)
    assert box.redeem(last, PATH) == (VERA, "c1")
    assert box.redeem(hers, PATH) == (other, "c1")
    mock_clock.jump(LIFE_S)
    box.issue(VERA, "c1", PATH)
    assert len(box) == 1


@given(st.text(), st.text())
def test_any_text_is_refused_as_a_ticket(ticket: str, path: str) -> None:
    with pytest.raises(Fault):
        tickets().redeem(ticket, path)
