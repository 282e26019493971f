from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from appliance.auth.lockout import ADDRESS_LIMIT, PAIR_LIMIT, SLOWEST_S, WINDOW_S, Attempt, Lockout, Tally, network_of

KEYS = st.sampled_from(["a", "b", "c"])
LIMIT = 3


class Model:
    """Locked while, within one window, ``LIMIT`` failures that were not taken back ended less than a window ago."""

    def __init__(self) -> None:
        self.failed: list[tuple[str, float]] = []

    def seconds(self, key: str, now: float) -> float:
        times = [at for name, at in self.failed if name == key]
        ends = [
            at + WINDOW_S
            for index, at in enumerate(times)
            if sum(at - WINDOW_S < other for other in times[: index + 1]) >= LIMIT
        ]
        return max([0.0, *(end - now for end in ends)])


class TallyMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.tally: Tally[str] = Tally(LIMIT)
        self.model = Model()
        self.now = 1000.0

    @rule(key=KEYS)
    def fail(self, key: str) -> None:
        self.now += 1
        if self.tally.seconds(key, self.now) == 0:
            self.tally.add(key, self.now)
            self.model.failed.append((key, self.now))

    @precondition(lambda self: self.model.failed)
    @rule(data=st.data())
    def it_was_no_failure(self, data: st.DataObject) -> None:
        key, at = data.draw(st.sampled_from(self.model.failed))
        self.model.failed.remove((key, at))
        self.tally.take_back(key, at)

    @rule(key=KEYS)
    def clear(self, key: str) -> None:
        self.tally.clear(key)
        self.model.failed = [(name, at) for name, at in self.model.failed if name != key]

    @rule(seconds=st.sampled_from([1, 60, WINDOW_S - 3, WINDOW_S - 2, WINDOW_S - 1, WINDOW_S]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def it_opens_exactly_when_the_model_does_never_early(self) -> None:
        for key in ("a", "b", "c"):
            assert self.tally.seconds(key, self.now) == self.model.seconds(key, self.now)


TestTally = TallyMachine.TestCase
TestTally.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def fail(lockout: Lockout, account: str, address: str, now: float, times: int = 1) -> Attempt:
    for _ in range(times):
        assert lockout.seconds(account, address, now) == 0
        attempt = lockout.begin(account, address, now)
    return attempt


def test_ten_failures_lock_this_account_from_this_address_for_a_quarter_of_an_hour() -> None:
    lockout = Lockout()
    fail(lockout, "admin", "192.0.2.1", 100, PAIR_LIMIT)
    assert lockout.seconds("admin", "192.0.2.1", 100) == WINDOW_S
    assert lockout.seconds("admin", "192.0.2.1", 100 + WINDOW_S - 1) == 1
    assert lockout.seconds("admin", "192.0.2.1", 100 + WINDOW_S) == 0
    assert lockout.seconds("admin", "192.0.2.2", 100) == 0, "nobody is locked out by others"
    assert lockout.seconds("vera", "192.0.2.1", 100) == 0
    assert lockout.address_blocked("192.0.2.1", 100) == 0


def test_nine_failures_and_the_right_password_start_anew() -> None:
    lockout = Lockout()
    for _ in range(5):
        lockout.succeeded(fail(lockout, "admin", "192.0.2.1", 100, PAIR_LIMIT - 1))
    assert lockout.seconds("admin", "192.0.2.1", 100) == 0


def test_fifty_failures_over_many_accounts_block_the_address() -> None:
    lockout = Lockout()
    for number in range(ADDRESS_LIMIT):
        assert lockout.address_blocked("192.0.2.1", number) == 0
        fail(lockout, f"user {number}", "192.0.2.1", number)
    assert lockout.address_blocked("192.0.2.1", ADDRESS_LIMIT) == WINDOW_S - 1
    assert lockout.seconds("somebody else", "192.0.2.1", ADDRESS_LIMIT) == WINDOW_S - 1
    assert lockout.address_blocked("192.0.2.2", ADDRESS_LIMIT) == 0


def test_a_good_account_of_ones_own_does_not_help_to_guess_at_others() -> None:
    lockout = Lockout()
    guesses = 0
    for number in range(1000):
        if lockout.address_blocked("192.0.2.1", 0) > 0:
            break
        if number % 2:
            lockout.succeeded(fail(lockout, "mallory", "192.0.2.1", 0))
        else:
            fail(lockout, f"user {number}", "192.0.2.1", 0)
            guesses += 1
    assert guesses == ADDRESS_LIMIT


def test_signing_in_again_and_again_blocks_nobody() -> None:
    lockout = Lockout()
    for number in range(10 * ADDRESS_LIMIT):
        lockout.succeeded(fail(lockout, "anna", "192.0.2.1", number / 1000))
    assert lockout.seconds("anna", "192.0.2.1", 1) == 0
    assert lockout.delay(fail(lockout, "anna", "192.0.2.1", 1)) == 0


def test_a_hundred_attempts_at_once_are_ten() -> None:
    lockout = Lockout()
    let_through = 0
    for _ in range(100):  # none of them has been found wrong yet
        if lockout.seconds("admin", "192.0.2.1", 0) == 0:
            lockout.begin("admin", "192.0.2.1", 0)
            let_through += 1
    assert let_through == PAIR_LIMIT


def test_over_many_addresses_an_account_slows_down_and_never_locks() -> None:
    lockout = Lockout()
    delays = []
    for number in range(2000):
        address = f"198.51.{number // 250}.{number % 250}"
        delays.append(lockout.delay(fail(lockout, "admin", address, number / 10)))
    assert delays[:10] == [0.0] * 10
    assert delays == sorted(delays)
    assert delays[-1] == SLOWEST_S
    assert lockout.seconds("admin", "203.0.113.9", 200) == 0
    later = lockout.begin("admin", "203.0.113.9", 200 + WINDOW_S)
    assert lockout.delay(later) == 0


def test_an_ipv6_guesser_has_a_whole_64_and_the_neighbour_another() -> None:
    lockout = Lockout()
    for number in range(PAIR_LIMIT):
        fail(lockout, "admin", f"2001:db8:1:2:{number:x}::1", 0)
    assert lockout.seconds("admin", "2001:db8:1:2:ffff::", 0) > 0
    assert lockout.seconds("admin", "2001:db8:1:3::1", 0) == 0


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("nonsense", "unknown"),
        ("", "unknown"),
    ],
)
def test_an_address_stands_for_its_network(address: str, network: str) -> None:
    assert network_of(address) == network


@given(st.text())
def test_any_text_is_an_address_of_some_network(address: str) -> None:
    assert network_of(address)


def test_an_administrator_opens_an_account_or_an_address() -> None:
    lockout = Lockout()
    fail(lockout, "admin", "192.0.2.1", 0, PAIR_LIMIT)
    fail(lockout, "admin", "192.0.2.2", 0, PAIR_LIMIT)
    fail(lockout, "vera", "192.0.2.1", 0, PAIR_LIMIT)
    for number in range(ADDRESS_LIMIT):
        fail(lockout, f"user {number}", "192.0.2.3", 0)
    assert lockout.unlock(account="admin") == 2
    assert lockout.seconds("admin", "192.0.2.1", 0) == 0
    assert lockout.seconds("vera", "192.0.2.1", 0) > 0
    assert lockout.unlock(address="192.0.2.3") == 1
    assert lockout.address_blocked("192.0.2.3", 0) == 0
    assert lockout.unlock(account="nobody", address="192.0.2.99") == 0


def test_many_addresses_and_names_neither_grow_it_nor_push_out_a_lock() -> None:
    room = 50
    lockout = Lockout(room)
    fail(lockout, "admin", "192.0.2.1", 0, PAIR_LIMIT)
    for number in range(3000):
        fail(lockout, f"name {number}", f"198.51.{number // 250}.{number % 250}", 1)
        assert len(lockout) <= 5 * room
    assert lockout.seconds("admin", "192.0.2.1", 1) == WINDOW_S - 1


def test_even_more_locks_than_there_is_room_for_open_late_rather_than_early() -> None:
    room = 20
    tally: Tally[int] = Tally(2, room)
    locked: dict[int, float] = {}
    for number in range(10 * room):
        for _ in range(2):
            if tally.seconds(number, number) == 0:
                tally.add(number, number)
                if tally.seconds(number, number) > 0:
                    locked[number] = number + WINDOW_S
        assert len(tally) <= 3 * room
    now = 10 * room
    assert len(locked) >= room
    assert all(tally.seconds(key, now) == opens - now for key, opens in locked.items())
    assert tally.seconds(99_999, now) > 0, "a stranger waits until there is room to count their failures"
    assert tally.seconds(99_999, now + WINDOW_S) == 0


@given(st.text(), st.text())
def test_any_name_is_an_account_of_the_same_small_size(name: str, address: str) -> None:
    lockout = Lockout()
    lockout.begin(name, address, 0)
    assert len(lockout) == 3
