"""Who is let in, when, and who is not: simulated, no sockets."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.serve.limits import Admission, AdmissionLimits, Turned, TurnedAway, address_key


def test_a_burst_of_the_rate_enters_at_once_and_the_rest_in_turn() -> None:
    admission = Admission()
    with ExitStack() as stack:
        turns = [stack.enter_context(admission.enter("192.0.2.1", 100.0)) for _ in range(150)]
        assert [ticket.waits for ticket in turns] == [False] * 50 + [True] * 100
        waits = [ticket.turn_at - 100.0 for ticket in turns[50:]]
        assert waits == pytest.approx([(number + 1) / 50 for number in range(100)])
        assert admission.waiting == 100
    assert (admission.open, admission.waiting) == (0, 0)


def test_another_address_does_not_wait_for_the_flood() -> None:
    admission = Admission()
    with ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(admission.enter("192.0.2.1", 0.0))
        assert not stack.enter_context(admission.enter("192.0.2.2", 0.0)).waits


def test_a_queue_that_is_full_turns_away() -> None:
    admission = Admission(AdmissionLimits(rate=10, queue_per_address=5, queue=8))
    with ExitStack() as stack:
        for _ in range(15):
            stack.enter_context(admission.enter("192.0.2.1", 0.0))
        with pytest.raises(TurnedAway) as turned, admission.enter("192.0.2.1", 0.0):
            pass
        assert turned.value.why is Turned.QUEUE_FULL
        for _ in range(13):
            stack.enter_context(admission.enter("192.0.2.2", 0.0))
        with pytest.raises(TurnedAway), admission.enter("192.0.2.2", 0.0):
            pass
        assert admission.turned_away[Turned.QUEUE_FULL] == 2


def test_so_many_connections_may_be_open_and_no_more() -> None:
    admission = Admission(AdmissionLimits(per_address=3, total=5))
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(admission.enter("192.0.2.1", 0.0))
        with pytest.raises(TurnedAway) as turned, admission.enter("192.0.2.1", 0.0):
            pass
        assert turned.value.why is Turned.ADDRESS_FULL
        for _ in range(2):
            stack.enter_context(admission.enter("192.0.2.2", 0.0))
        with pytest.raises(TurnedAway) as turned, admission.enter("192.0.2.3", 0.0):
            pass
        assert turned.value.why is Turned.SERVER_FULL
    with admission.enter("192.0.2.1", 0.0):
        pass


def test_what_the_system_has_room_for_counts_too() -> None:
    admission = Admission(ceiling=1)
    with admission.enter("192.0.2.1", 0.0), pytest.raises(TurnedAway), admission.enter("192.0.2.2", 0.0):
        pass


@given(st.lists(st.tuples(st.floats(0, 0.1), st.integers(0, 3), st.booleans()), max_size=300))
def test_the_rate_is_kept_the_order_too_and_nothing_is_lost_count_of(steps: list[tuple[float, int, bool]]) -> None:
    admission = Admission(AdmissionLimits(rate=10))
    now = 0.0
    turns: dict[int, list[float]] = {}
    with ExitStack() as stack:
        for wait, who, stays in steps:
            now += wait
            try:
                entered = admission.enter(f"192.0.2.{who}", now)
                if stays:
                    turns.setdefault(who, []).append(stack.enter_context(entered).turn_at)
                else:
                    with entered as ticket:
                        turns.setdefault(who, []).append(ticket.turn_at)
            except TurnedAway:
                pass
        for at in turns.values():
            assert at == sorted(at)
            for start in range(len(at)):
                within = sum(1 for other in at[start:] if other < at[start] + 1 - 1e-9)
                assert within <= 20  # a burst, and a second's worth
    assert (admission.open, admission.waiting) == (0, 0)


def test_the_table_forgets_those_who_left() -> None:
    admission = Admission()
    for number in range(5000):
        with admission.enter(f"2001:db8:{number:x}::1", number / 100):
            pass
    assert admission.addresses_known < 500


@pytest.mark.parametrize(
    ("peer", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("local", "local"),
    ],
)
def test_what_counts_as_one_address(peer: str, key: str) -> None:
    assert address_key(peer) == key
