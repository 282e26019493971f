from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
import trio

from appliance.auth import signin as module
from appliance.auth.lockout import ADDRESS_LIMIT, PAIR_LIMIT, WINDOW_S
from appliance.auth.passwords import Cost
from appliance.auth.rights import Right, Role
from appliance.base.faults import Fault, Kind
from appliance.base.secrets import Secret
from appliance.store import tables
from tests.auth.conftest import CHEAP, GOOD

if TYPE_CHECKING:
    from appliance.auth import Auth
    from tests.auth.conftest import World

WRONG = Secret("wrong wrong wrong")
OTHER = Secret("another good password")


async def attempt(auth: Auth, name: str, password: Secret = WRONG, address: str = "192.0.2.1") -> str:
    """The code of the fault, or "in"."""
    try:
        await auth.sign_in.attempt(name, password, address, "Test")
    except Fault as fault:
        return fault.code
    return "in"


async def test_the_right_password_gives_a_session_of_that_user(auth: Auth) -> None:
    user = await auth.users.add("Vera", GOOD)
    signed_in = await auth.sign_in.attempt("VERA ", GOOD, "192.0.2.1", "Firefox")
    assert signed_in.user == user
    principal = auth.principal_of(signed_in.token.reveal())
    assert principal is not None
    assert (principal.user_id, principal.name, principal.role) == (user.id, "Vera", Role.VIEWER)
    assert principal.session_id == signed_in.session.id
    assert not auth.rights.allows(principal, Right.LIVE, "c")
    assert signed_in.token.reveal() not in repr(signed_in)


@pytest.mark.parametrize("case", ["unknown", "wrong", "empty", "disabled", "by id", "impossible name", "huge"])
async def test_every_wrong_sign_in_gets_the_same_answer_after_one_hash(auth: Auth, case: str) -> None:
    user = await auth.users.add("vera", GOOD)
    await auth.users.add("dirk", GOOD)
    await auth.users.change("dirk", disabled=True)
    name, password = {
        "unknown": ("nobody", GOOD),
        "wrong": ("vera", WRONG),
        "empty": ("vera", Secret("")),
        "disabled": ("dirk", GOOD),
        "by id": (user.id, GOOD),
        "impossible name": ("a\x00b", GOOD),
        "huge": ("x" * 100_000, Secret("y" * 100_000)),
    }[case]
    hashes = 0
    verify = auth.sign_in._passwords._verify

    def counted(encoded: str | None, text: bytes) -> bool:
        nonlocal hashes
        hashes += 1
        return verify(encoded, text)

    auth.sign_in._passwords._verify = counted  # type: ignore[method-assign, assignment]
    with pytest.raises(Fault) as caught:
        await auth.sign_in.attempt(name, password, "192.0.2.1", "Test")
    fault = caught.value
    assert (fault.kind, fault.code) == (Kind.UNAUTHENTICATED, "bad_credentials")
    assert str(fault) == "User name or password is not right."
    assert fault.field is None
    assert hashes == 1


async def test_after_ten_failures_even_the_right_password_waits_and_no_hash_is_made(
    auth: Auth, mock_clock: trio.testing.MockClock
) -> None:
    await auth.users.add("vera", GOOD)
    assert [await attempt(auth, "vera") for _ in range(PAIR_LIMIT)] == ["bad_credentials"] * PAIR_LIMIT
    auth.sign_in._passwords._verify = None  # type: ignore[method-assign, assignment]
    with pytest.raises(Fault) as caught:
        await auth.sign_in.attempt("Vera", GOOD, "192.0.2.1", "Test")
    fault = caught.value
    assert (fault.kind, fault.code, fault.retry_after_s) == (Kind.LIMITED, "locked", WINDOW_S)
    assert fault.hint == "Wait 15 min 0 s."
    mock_clock.jump(WINDOW_S - 20)
    with pytest.raises(Fault, match="Wait 20 s"):
        await auth.sign_in.attempt("vera", GOOD, "192.0.2.1", "Test")
    del auth.sign_in._passwords._verify
    assert await attempt(auth, "vera", GOOD, "192.0.2.2") == "in"
    mock_clock.jump(20)
    assert await attempt(auth, "vera", GOOD) == "in"


async def test_an_unknown_user_is_locked_like_a_known_one(auth: Auth, mock_clock: trio.testing.MockClock) -> None:
    await auth.users.add("vera", GOOD)
    answers = {
        name: [await attempt(auth, name, address=address) for _ in range(PAIR_LIMIT + 2)]
        for name, address in (("vera", "192.0.2.1"), ("nobody", "192.0.2.2"))
    }
    assert answers["vera"] == answers["nobody"]


@pytest.mark.parametrize("variants", [["vera", " vera", "VERA", "vera ", "ｖｅｒａ"]])
async def test_another_writing_of_a_name_is_no_further_ten_tries(
    auth: Auth, mock_clock: trio.testing.MockClock, variants: list[str]
) -> None:
    await auth.users.add("vera", GOOD)
    codes = [await attempt(auth, variants[number % len(variants)]) for number in range(PAIR_LIMIT + 5)]
    assert codes == ["bad_credentials"] * PAIR_LIMIT + ["locked"] * 5


async def test_an_address_over_its_limit_is_known_to_the_door(auth: Auth, mock_clock: trio.testing.MockClock) -> None:
    for number in range(ADDRESS_LIMIT):
        assert auth.lockout.address_blocked("192.0.2.1", trio.current_time()) == 0
        await attempt(auth, f"user {number}")
    assert auth.lockout.address_blocked("192.0.2.1", trio.current_time()) == WINDOW_S
    assert await attempt(auth, "anybody else") == "locked"


async def test_a_crowd_of_addresses_slows_an_account_down_and_does_not_lock_it(
    auth: Auth, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def verify(encoded: str | None, password: Secret) -> bool:
        return password == GOOD  # without a thread, under which this clock would jump

    await auth.users.add("vera", GOOD)
    monkeypatch.setattr(auth.sign_in._passwords, "verify", verify)
    began = trio.current_time()
    for number in range(50):
        assert await attempt(auth, "vera", address=f"192.0.2.{number}") == "bad_credentials"
    slowed = trio.current_time()
    assert 20 < slowed - began < 100
    with pytest.raises(Fault):
        await auth.sign_in.attempt("vera", WRONG, "198.51.100.1", "Test")
    assert trio.current_time() - slowed == pytest.approx(2)


async def test_the_right_password_forgives_what_this_address_got_wrong(auth: Auth) -> None:
    await auth.users.add("vera", GOOD)
    for _ in range(3):
        for _ in range(PAIR_LIMIT - 1):
            assert await attempt(auth, "vera", address="192.0.2.7") == "bad_credentials"
        auth.lockout._accounts.clear()  # the delay is another test's business
        assert await attempt(auth, "vera", GOOD, "192.0.2.7") == "in"


async def test_hanging_up_is_a_failure_too(auth: Auth) -> None:
    await auth.users.add("vera", GOOD)
    for _ in range(PAIR_LIMIT):
        with trio.CancelScope() as scope:
            scope.cancel()
            await attempt(auth, "vera")
    assert await attempt(auth, "vera", GOOD) == "locked"


async def test_too_many_at_once_from_one_address_are_told_to_come_back(auth: Auth) -> None:
    await auth.users.add("vera", GOOD)
    codes: list[str] = []

    async def one(address: str) -> None:
        codes.append(await attempt(auth, "nobody", GOOD, address))

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(one, "192.0.2.1")
    assert sorted(codes) == ["bad_credentials"] * 4 + ["busy"] * 6
    assert await attempt(auth, "vera", GOOD) == "in"
    assert not auth.sign_in._under_way


async def test_too_many_at_once_from_anywhere_are_told_to_come_back(
    auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 5)
    faults: list[Fault] = []

    async def one(number: int) -> None:
        with pytest.raises(Fault) as caught:
            await auth.sign_in.attempt(f"user {number}", GOOD, f"192.0.2.{number}", "Test")
        faults.append(caught.value)

    async with trio.open_nursery() as nursery:
        for number in range(8):
            nursery.start_soon(one, number)
    busy = [fault for fault in faults if fault.code == "busy"]
    assert len(busy) == 3
    assert all(fault.kind is Kind.LIMITED and fault.retry_after_s for fault in busy)


async def test_a_password_hashed_at_an_older_cost_is_hashed_anew_at_the_next_sign_in(world: World) -> None:
    async with world.auth(CHEAP) as auth:
        await auth.users.add("vera", GOOD)
    async with world.auth(Cost(memory_kib=16, passes=2)) as auth:
        old, _ = [await auth.sign_in.attempt("vera", GOOD, "192.0.2.1", "Test") for _ in range(2)]
        (row,) = await world.rows(tables.users)
        assert "m=16,t=2" in str(row["password_hash"])
        assert auth.sessions.find(old.token.reveal()) is not None, "nothing else changed"
        assert await attempt(auth, "vera", GOOD) == "in"
        assert await attempt(auth, "vera") == "bad_credentials"


async def test_two_sign_ins_at_once_may_both_hash_anew(world: World) -> None:
    async with world.auth(CHEAP) as auth:
        await auth.users.add("vera", GOOD)
    codes: list[str] = []
    async with world.auth(Cost(memory_kib=16, passes=2)) as auth:

        async def one() -> None:
            codes.append(await attempt(auth, "vera", GOOD))

        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(one)
    assert codes == ["in"] * 4


async def test_a_disk_that_refuses_does_not_keep_people_out(world: World, caplog: pytest.LogCaptureFixture) -> None:
    async with world.auth(CHEAP) as auth:
        await auth.users.add("vera", GOOD)
    async with world.auth(Cost(memory_kib=16, passes=2)) as auth:
        await world.store.write(lambda connection: connection.exec_driver_sql("PRAGMA query_only = ON"))
        with caplog.at_level(logging.WARNING):
            assert await attempt(auth, "vera", GOOD) == "in"
        await world.store.read(lambda connection: None)


async def test_a_password_changed_while_it_is_checked_does_not_let_in(auth: Auth) -> None:
    user = await auth.users.add("vera", GOOD)
    verify = auth.sign_in._passwords.verify

    async def slow(encoded: str | None, password: Secret) -> bool:
        right = await verify(encoded, password)
        await auth.users.set_password("vera", OTHER)
        return right

    auth.sign_in._passwords.verify = slow  # type: ignore[method-assign]
    assert await attempt(auth, "vera", GOOD) == "bad_credentials"
    assert auth.sessions.of_user(user.id) == []


async def test_changing_ones_own_password_needs_the_old_one(auth: Auth) -> None:
    user = await auth.users.add("vera", GOOD)
    mine, other = [await auth.sign_in.attempt("vera", GOOD, "192.0.2.1", "Test") for _ in range(2)]

    async def change(old: Secret, new: Secret) -> None:
        await auth.sign_in.change_password(user.id, old, new, "192.0.2.1", keep_session=mine.session.id)

    for old, new, code, field in [
        (WRONG, OTHER, "bad_credentials", "old"),
        (GOOD, GOOD, "weak_password", "password"),
        (GOOD, Secret("short"), "weak_password", "password"),
    ]:
        with pytest.raises(Fault) as caught:
            await change(old, new)
        assert (caught.value.kind, caught.value.code, caught.value.field) == (Kind.INVALID, code, field)
    await change(GOOD, OTHER)
    assert auth.sessions.is_open(mine.session.id)
    assert not auth.sessions.is_open(other.session.id)
    assert await attempt(auth, "vera", OTHER) == "in"


async def test_the_old_password_cannot_be_guessed_through_its_change(
    auth: Auth, mock_clock: trio.testing.MockClock
) -> None:
    user = await auth.users.add("vera", GOOD)
    codes = []
    for _ in range(PAIR_LIMIT + 1):
        with pytest.raises(Fault) as caught:
            await auth.sign_in.change_password(user.id, WRONG, OTHER, "192.0.2.1")
        codes.append(caught.value.code)
    assert codes == ["bad_credentials"] * PAIR_LIMIT + ["locked"]


async def test_no_secret_reaches_the_log_or_a_fault(world: World, auth: Auth, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await auth.users.add("vera", GOOD)
        signed_in = await auth.sign_in.attempt("vera", GOOD, "192.0.2.1", "Test")
        with pytest.raises(Fault) as caught:
            await auth.sign_in.attempt("vera", WRONG, "192.0.2.1", "Test")
        with pytest.raises(sa.exc.IntegrityError) as broken:
            await world.store.write(
                lambda connection: connection.execute(
                    sa.insert(tables.users).from_select(tables.users.c.keys(), sa.select(tables.users))
                )
            )
    seen = caplog.text + repr(caught.value) + str(caught.value) + str(broken.value) + repr(signed_in)
    for secret in (GOOD, WRONG, signed_in.token, signed_in.session.csrf):
        assert secret.reveal() not in seen
