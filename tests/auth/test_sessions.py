from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.auth import sessions as module
from appliance.auth.sessions import FLUSH_S, IDLE_S, LONGEST_S, PER_USER, Ending, Session
from appliance.base.clock import ManualClock
from appliance.base.faults import Fault
from appliance.store import tables
from tests.auth.conftest import GOOD

if TYPE_CHECKING:
    from appliance.auth import Auth
    from tests.auth.conftest import World

HOUR = 3600


async def opened(auth: Auth, name: str = "vera") -> tuple[Session, str]:
    user = auth.users.by_name(name) or await auth.users.add(name, GOOD)
    session, token = await auth.sessions.open(user.id, user.password_at, "192.0.2.1", "Firefox")
    return session, token.reveal()


async def test_a_token_finds_its_session_and_nothing_else_does(auth: Auth) -> None:
    session, token = await opened(auth)
    assert auth.sessions.find(token) == session
    assert (session.address, session.agent) == ("192.0.2.1", "Firefox")
    other, _ = await opened(auth)
    assert other.id != session.id
    for wrong in ("", token[:-1], token + "A", token[:-1] + "é", token.swapcase(), session.id, "A" * 43):
        assert auth.sessions.find(wrong) is None


@given(st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_may_be_offered_as_a_token(text: str) -> None:
    sessions = module.Sessions(None, ManualClock(), module.elapsed_s)  # type: ignore[arg-type]
    assert sessions.find(text) is None


async def test_tokens_are_long_random_and_kept_as_hashes_only(world: World, auth: Auth) -> None:
    made = [await opened(auth) for _ in range(20)]
    assert len({token for _, token in made}) == 20
    assert all(len(token) == 43 for _, token in made)
    rows = await world.rows(tables.sessions)
    assert {row["token_hash"] for row in rows} == {hashlib.sha256(token.encode()).hexdigest() for _, token in made}
    assert not any(token in str(rows) or token in repr(made[0][0]) for _, token in made)
    csrfs = {session.csrf.reveal() for session, _ in made}
    assert len(csrfs) == 20
    assert not any(csrf in repr(session) for session, _ in made for csrf in csrfs)


async def test_twelve_hours_without_use_end_a_session(world: World, auth: Auth) -> None:
    session, token = await opened(auth)
    for _ in range(5):
        world.wait(IDLE_S - 1)
        assert auth.sessions.find(token) == session
    world.wait(IDLE_S)
    with auth.sessions.ended.listen() as news:
        assert auth.sessions.find(token) is None
        assert (await news.receive()).ending is Ending.EXPIRED


async def test_thirty_days_end_a_session_however_much_it_is_used(world: World, auth: Auth) -> None:
    session, token = await opened(auth)
    for _ in range(LONGEST_S // (10 * HOUR) - 1):
        world.wait(10 * HOUR)
        assert auth.sessions.touch(session.id) is not None
    assert not auth.sessions.is_open("unknown")
    world.wait(10 * HOUR)
    assert not auth.sessions.is_open(session.id)
    assert auth.sessions.find(token) is None


async def test_asking_whether_it_is_open_does_not_use_it(world: World, auth: Auth) -> None:
    session, token = await opened(auth)
    world.wait(IDLE_S - 1)
    assert auth.sessions.is_open(session.id)
    assert auth.sessions.of_user(session.user_id) == [session]
    world.wait(1)
    assert auth.sessions.find(token) is None


async def test_expired_ones_are_announced_without_anybody_asking(world: World, auth: Auth) -> None:
    session, _ = await opened(auth)
    world.wait(IDLE_S)
    with auth.sessions.ended.listen() as news:
        auth.sessions.expire()
        ended = await news.receive()
    assert (ended.session_id, ended.user_id, ended.ending) == (session.id, session.user_id, Ending.EXPIRED)
    await auth.sessions.flush()
    assert await world.rows(tables.sessions) == []


async def test_sessions_survive_a_restart_with_the_time_that_passed(world: World) -> None:
    async with world.auth() as auth:
        session, token = await opened(auth)
    world.wait(IDLE_S - 120)
    async with world.auth() as auth:
        assert auth.sessions.find(token) == session
        await auth.sessions.flush()
    world.wait(IDLE_S - 1)
    async with world.auth() as auth:
        assert auth.sessions.is_open(session.id)
    world.wait(1)
    async with world.auth() as auth:
        assert auth.sessions.find(token) is None
    assert await world.rows(tables.sessions) == []


@pytest.mark.parametrize("jump", [-HOUR, HOUR, -400 * 86_400, 20_000 * 86_400])
async def test_a_jump_of_the_wall_clock_neither_ends_nor_prolongs(world: World, jump: int) -> None:
    async with world.auth() as auth:
        session, _ = await opened(auth)
        world.wait(6 * HOUR)
        world.clock.advance(jump)  # the wall clock only
        assert auth.sessions.is_open(session.id)
        await auth.sessions.flush()  # as every minute
    async with world.auth() as auth:
        world.wait(6 * HOUR - 2)
        assert auth.sessions.is_open(session.id)
        world.wait(3)
        assert not auth.sessions.is_open(session.id)


async def test_a_clock_set_back_while_the_server_was_off_ends_nothing_early(world: World) -> None:
    async with world.auth() as auth:
        session, _ = await opened(auth)
    world.clock.advance(-HOUR)
    async with world.auth() as auth:
        world.wait(IDLE_S - 1)
        assert auth.sessions.is_open(session.id)
        world.wait(1)
        assert not auth.sessions.is_open(session.id)


async def test_the_last_use_is_written_once_a_minute_at_most(world: World, auth: Auth) -> None:
    _, token = await opened(auth)
    (before,) = await world.rows(tables.sessions)
    world.wait(FLUSH_S - 1)
    auth.sessions.find(token)
    await auth.sessions.flush()
    assert await world.rows(tables.sessions) == [before]
    world.wait(1)
    auth.sessions.find(token)
    await auth.sessions.flush()
    (after,) = await world.rows(tables.sessions)
    assert after == {**before, "used_at": int(str(before["used_at"])) + FLUSH_S}


async def test_signing_out_ends_one_session_at_once_and_for_good(world: World) -> None:
    async with world.auth() as auth:
        (one, one_token), (two, two_token) = await opened(auth), await opened(auth)
        with auth.sessions.ended.listen() as news:
            await auth.sessions.close(one.id)
            await auth.sessions.close(one.id)
            assert (await news.receive()).ending is Ending.SIGNED_OUT
        assert auth.sessions.find(one_token) is None
        assert auth.sessions.find(two_token) == two
        assert [row["id"] for row in await world.rows(tables.sessions)] == [two.id]
    async with world.auth() as auth:
        assert auth.sessions.find(one_token) is None


async def test_ending_all_of_a_user_leaves_the_one_to_keep_and_the_others(world: World, auth: Auth) -> None:
    mine = [await opened(auth) for _ in range(3)]
    other, _ = await opened(auth, "anna")
    await auth.sessions.close_all_of(mine[0][0].user_id, Ending.PASSWORD_CHANGED, keep=mine[1][0].id)
    assert [session.id for session, token in mine if auth.sessions.find(token)] == [mine[1][0].id]
    assert {row["id"] for row in await world.rows(tables.sessions)} == {mine[1][0].id, other.id}


async def test_of_too_many_sessions_of_a_user_the_one_used_least_recently_goes(world: World, auth: Auth) -> None:
    made = []
    for _ in range(PER_USER):
        made.append(await opened(auth))
        world.wait(1)
    other, _ = await opened(auth, "anna")
    auth.sessions.find(made[0][1])
    world.wait(1)
    with auth.sessions.ended.listen() as news:
        await opened(auth)
        ended = await news.receive()
    assert (ended.session_id, ended.ending) == (made[1][0].id, Ending.REPLACED)
    assert len(auth.sessions.of_user(made[0][0].user_id)) == PER_USER
    assert auth.sessions.is_open(other.id)


async def test_a_session_is_not_opened_for_a_password_that_has_changed_meanwhile(auth: Auth) -> None:
    user = await auth.users.add("vera", GOOD)
    await auth.users.set_password("vera", GOOD)
    with pytest.raises(Fault) as caught:
        await auth.sessions.open(user.id, user.password_at, "192.0.2.1", "x")
    assert caught.value.code == "bad_credentials"
    assert len(auth.sessions) == 0


@pytest.mark.parametrize("what", ["disabled", "removed"])
async def test_a_session_is_not_opened_for_a_user_who_is_no_more(auth: Auth, what: str) -> None:
    user = await auth.users.add("vera", GOOD)
    if what == "disabled":
        await auth.users.change("vera", disabled=True)
    else:
        await auth.users.remove("vera")
    with pytest.raises(Fault) as caught:
        await auth.sessions.open(user.id, user.password_at, "192.0.2.1", "x")
    assert caught.value.code == "bad_credentials"


async def test_while_the_disk_refuses_one_can_sign_in_and_out(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A full disk has to be seen to by somebody who is signed in."""
    async with world.auth() as auth:
        user = await auth.users.add("vera", GOOD)
        before, _ = await opened(auth)
        await world.store.write(lambda connection: connection.exec_driver_sql("PRAGMA query_only = ON"))
        session, secret = await auth.sessions.open(user.id, user.password_at, "192.0.2.1", "x")
        assert "memory only" in caplog.text
        assert auth.sessions.find(secret.reveal()) == session
        with pytest.raises(Fault):
            await auth.sessions.close(before.id)
        assert not auth.sessions.is_open(before.id), "ended, though not yet on disk"
        await world.store.read(lambda connection: None)  # which ends query_only: the disk is well again
        await auth.sessions.flush()
        assert [row["id"] for row in await world.rows(tables.sessions)] == [session.id]
    async with world.auth() as auth:
        assert auth.sessions.find(secret.reveal()) == session
        assert not auth.sessions.is_open(before.id)


async def test_a_session_in_memory_only_that_ends_is_never_written(world: World, auth: Auth) -> None:
    user = await auth.users.add("vera", GOOD)
    await world.store.write(lambda connection: connection.exec_driver_sql("PRAGMA query_only = ON"))
    session, _ = await auth.sessions.open(user.id, user.password_at, "192.0.2.1", "x")
    await world.store.read(lambda connection: None)
    await auth.users.set_password("vera", GOOD)
    await auth.sessions.flush()
    assert not auth.sessions.is_open(session.id)
    assert await world.rows(tables.sessions) == []


async def test_the_background_task_expires_and_writes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FLUSH_S", 0.01)
    async with world.auth() as auth:
        await opened(auth)
        with auth.sessions.ended.listen() as news, trio.fail_after(10):
            world.wait(IDLE_S)
            assert (await news.receive()).ending is Ending.EXPIRED
            assert await world.rows(tables.sessions) == []


async def test_what_a_client_says_about_itself_is_a_bounded_line(auth: Auth) -> None:
    user = await auth.users.add("vera", GOOD)
    session, _ = await auth.sessions.open(
        user.id, user.password_at, "a" * 999, "x\r\nSet-Cookie: y\x1b[2J" + "z" * 9999
    )
    assert len(session.address) == 64
    assert len(session.agent) == 200
    assert session.agent.isprintable()
