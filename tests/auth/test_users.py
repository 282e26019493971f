from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
import trio

from appliance.auth.passwords import check_new
from appliance.auth.rights import ALL, Principal, Right, RightsChange, Role
from appliance.auth.sessions import Ending
from appliance.auth.users import FIRST_PASSWORD
from appliance.base.faults import Fault, Kind
from appliance.base.secrets import Secret
from appliance.store import tables
from tests.auth.conftest import GOOD

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from appliance.auth import Auth
    from tests.auth.conftest import World

OTHER = Secret("another good password")
ADDRESS, AGENT = "192.0.2.1", "Test"


async def fault_of(doing: Awaitable[object]) -> Fault:
    try:
        await doing
    except Fault as fault:
        return fault
    pytest.fail("there was no fault")


def who(auth: Auth, name: str) -> Principal:
    user = auth.users.get(name)
    return Principal(user.id, user.name, user.role)


async def test_a_new_viewer_may_nothing_and_is_found_by_any_writing_of_the_name(auth: Auth) -> None:
    user = await auth.users.add("  Véra   Lund ", GOOD)
    assert user.name == "Véra Lund"
    assert user.role is Role.VIEWER
    assert auth.users.find("véra lund") == auth.users.find("VE\u0301RA LUND") == auth.users.find(user.id) == user
    assert not any(auth.rights.allows(who(auth, "véra lund"), right, "c") for right in Right)


async def test_an_administrator_may_everything(auth: Auth) -> None:
    await auth.users.add("anna", GOOD, Role.ADMINISTRATOR)
    assert all(auth.rights.allows(who(auth, "anna"), right, "c") for right in Right)


@pytest.mark.parametrize("name", ["Anna", "ANNA", " anna", "ａｎｎａ"])
async def test_a_name_is_taken_however_it_is_written(auth: Auth, name: str) -> None:
    await auth.users.add("anna", GOOD)
    fault = await fault_of(auth.users.add(name, GOOD))
    assert (fault.kind, fault.code, fault.field) == (Kind.CONFLICT, "name_taken", "name")


async def test_two_at_once_with_one_name_are_one(auth: Auth) -> None:
    codes: list[str] = []

    async def add() -> None:
        try:
            await auth.users.add("anna", GOOD)
        except Fault as fault:
            codes.append(fault.code)

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(add)
    assert codes == ["name_taken"] * 4
    assert len(auth.users.list()) == 1


async def test_what_cannot_be_a_name_or_a_password_is_refused(auth: Auth) -> None:
    assert (await fault_of(auth.users.add("", GOOD))).code == "invalid_name"
    assert (await fault_of(auth.users.add("a\u202eb", GOOD))).code == "invalid_name"
    assert (await fault_of(auth.users.add("0b5ad5a4-92f7-4b3c-8b0e-3ba6ab9d3d54", GOOD))).code == "invalid_name"
    assert (await fault_of(auth.users.add("anna", Secret("short")))).code == "weak_password"
    assert auth.users.list() == ()


async def test_everything_is_there_again_after_a_restart(world: World) -> None:
    camera = await world.camera()
    async with world.auth() as auth:
        await auth.users.add("anna", GOOD, Role.ADMINISTRATOR)
        await auth.users.add("vera", GOOD)
        await auth.users.grant("vera", {Right.LIVE: ALL, Right.AUDIO: frozenset({camera})})
        before = auth.users.list()
    async with world.auth() as auth:
        assert auth.users.list() == before
        assert [user.name for user in before] == ["anna", "vera"]
        assert auth.rights.allows(who(auth, "vera"), Right.LIVE, "any")
        assert auth.rights.cameras(who(auth, "vera"), Right.AUDIO) == frozenset({camera})
        assert (await auth.sign_in.attempt("vera", GOOD, ADDRESS, AGENT)).user.name == "vera"


async def test_granting_replaces_that_right_and_no_other_and_is_told(world: World, auth: Auth) -> None:
    camera = await world.camera()
    user = await auth.users.add("vera", GOOD)
    with auth.rights.changes.listen() as news:
        await auth.users.grant("vera", {Right.LIVE: frozenset({camera}), Right.AUDIO: ALL})
        assert auth.rights.allows(who(auth, "vera"), Right.LIVE, camera)
        await auth.users.grant("vera", {Right.LIVE: frozenset()})
        assert not auth.rights.allows(who(auth, "vera"), Right.LIVE, camera)
        assert auth.rights.allows(who(auth, "vera"), Right.AUDIO, camera)
        assert [await news.receive(), await news.receive()] == [RightsChange(frozenset({user.id}))] * 2


async def test_granting_what_does_not_exist_changes_nothing(world: World, auth: Auth) -> None:
    camera = await world.camera()
    await auth.users.add("vera", GOOD)
    await auth.users.grant("vera", {Right.LIVE: frozenset({camera})})
    fault = await fault_of(auth.users.grant("vera", {Right.LIVE: frozenset({"no camera"})}))
    assert (fault.code, fault.field) == ("no_such_camera", "live")
    assert auth.rights.cameras(who(auth, "vera"), Right.LIVE) == frozenset({camera})
    assert (await fault_of(auth.users.grant("vera", {Right.ADMINISTER: ALL}))).code == "not_a_camera_right"
    assert (await fault_of(auth.users.grant("nobody", {Right.LIVE: ALL}))).code == "no_such_user"


async def test_a_removed_camera_leaves_the_grants_in_memory_and_in_the_store(world: World, auth: Auth) -> None:
    camera = await world.camera()
    await auth.users.add("vera", GOOD)
    await auth.users.grant("vera", {Right.LIVE: frozenset({camera}), Right.AUDIO: ALL})
    await world.store.write(lambda connection: connection.execute(sa.delete(tables.cameras)))
    auth.users.forget_camera(camera)
    assert auth.users.get("vera").grants == {Right.LIVE: frozenset(), Right.AUDIO: ALL}
    assert auth.rights.cameras(who(auth, "vera"), Right.LIVE) == frozenset()
    assert [row["right"] for row in await world.rows(tables.grants)] == ["audio"]


async def test_the_last_administrator_cannot_be_removed_demoted_or_disabled(auth: Auth) -> None:
    await auth.users.add("anna", GOOD, Role.ADMINISTRATOR)
    await auth.users.add("bert", GOOD, Role.ADMINISTRATOR)
    await auth.users.change("bert", disabled=True)
    for doing in (
        auth.users.remove("anna"),
        auth.users.change("anna", role=Role.VIEWER),
        auth.users.change("anna", disabled=True),
    ):
        assert (await fault_of(doing)).code == "last_administrator"
    assert auth.users.get("anna").role is Role.ADMINISTRATOR
    assert auth.rights.allows(who(auth, "anna"), Right.ADMINISTER)
    await auth.users.change("bert", disabled=False)
    await auth.users.remove("anna")
    assert [user.name for user in auth.users.list()] == ["bert"]


async def test_two_administrators_who_demote_each_other_at_once_leave_one(auth: Auth) -> None:
    await auth.users.add("anna", GOOD, Role.ADMINISTRATOR)
    await auth.users.add("bert", GOOD, Role.ADMINISTRATOR)
    codes: list[str] = []

    async def demote(name: str) -> None:
        try:
            await auth.users.change(name, role=Role.VIEWER)
        except Fault as fault:
            codes.append(fault.code)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(demote, "anna")
        nursery.start_soon(demote, "bert")
    assert codes == ["last_administrator"]
    assert sum(user.role is Role.ADMINISTRATOR for user in auth.users.list()) == 1


async def test_viewers_can_be_changed_where_no_administrator_is_yet(auth: Auth) -> None:
    await auth.users.add("vera", GOOD)
    await auth.users.change("vera", disabled=True)
    await auth.users.remove("vera")
    assert auth.users.list() == ()


async def test_a_disabled_user_loses_sessions_and_rights_and_gets_the_rights_back(auth: Auth) -> None:
    await auth.users.add("vera", GOOD)
    await auth.users.grant("vera", {Right.LIVE: ALL})
    signed_in = await auth.sign_in.attempt("vera", GOOD, ADDRESS, AGENT)
    with auth.sessions.ended.listen() as news:
        await auth.users.change("vera", disabled=True)
        ended = await news.receive()
    assert (ended.session_id, ended.ending) == (signed_in.session.id, Ending.USER_DISABLED)
    assert auth.principal_of(signed_in.token.reveal()) is None
    assert not auth.rights.allows(who(auth, "vera"), Right.LIVE, "c")
    await auth.users.change("vera", disabled=False)
    assert auth.rights.allows(who(auth, "vera"), Right.LIVE, "c")
    assert auth.principal_of(signed_in.token.reveal()) is None


async def test_a_removed_user_leaves_nothing_behind(world: World, auth: Auth) -> None:
    await auth.users.add("vera", GOOD)
    await auth.users.grant("vera", {Right.LIVE: ALL})
    principal = who(auth, "vera")
    signed_in = await auth.sign_in.attempt("vera", GOOD, ADDRESS, AGENT)
    with auth.sessions.ended.listen() as ended, auth.rights.changes.listen() as changed:
        await auth.users.remove("vera")
        assert (await ended.receive()).ending is Ending.USER_REMOVED
        assert await changed.receive() == RightsChange(frozenset({principal.user_id}))
    assert auth.principal_of(signed_in.token.reveal()) is None
    assert not auth.rights.allows(principal, Right.LIVE, "c")
    for table in (tables.users, tables.grants, tables.sessions):
        assert await world.rows(table) == []
    assert (await fault_of(auth.users.remove("vera"))).code == "no_such_user"
    await auth.users.add("vera", GOOD)
    assert not auth.rights.allows(who(auth, "vera"), Right.LIVE, "c"), "a new user of an old name is new"


async def test_a_new_password_ends_the_other_sessions_and_the_old_password(world: World, auth: Auth) -> None:
    user = await auth.users.add("vera", GOOD)
    mine, other = [await auth.sign_in.attempt("vera", GOOD, ADDRESS, AGENT) for _ in range(2)]
    await auth.users.set_password("vera", OTHER, keep_session=mine.session.id)
    assert auth.sessions.find(mine.token.reveal()) == mine.session
    assert auth.sessions.find(other.token.reveal()) is None
    assert [row["id"] for row in await world.rows(tables.sessions)] == [mine.session.id]
    assert (await fault_of(auth.sign_in.attempt("vera", GOOD, ADDRESS, AGENT))).code == "bad_credentials"
    assert (await auth.sign_in.attempt("vera", OTHER, ADDRESS, AGENT)).user.id == user.id
    assert (await fault_of(auth.users.set_password("vera", Secret("short")))).code == "weak_password"


async def test_the_first_start_makes_an_administrator_with_a_password_to_change(auth: Auth) -> None:
    first = await auth.users.ensure_administrator(to_file=False)
    assert first is not None
    check_new(first.password, first.name)
    user = (await auth.sign_in.attempt("admin", first.password, ADDRESS, AGENT)).user
    assert (user.name, user.role, user.must_change) == ("admin", Role.ADMINISTRATOR, True)
    assert await auth.users.ensure_administrator(to_file=False) is None
    assert not (await auth.users.set_password("admin", GOOD)).must_change


async def test_an_administrator_of_ones_own_is_enough(auth: Auth) -> None:
    await auth.users.add("anna", GOOD, Role.ADMINISTRATOR)
    assert await auth.users.ensure_administrator(to_file=True) is None
    assert [user.name for user in auth.users.list()] == ["anna"]


async def test_a_viewer_called_admin_does_not_become_administrator(auth: Auth) -> None:
    for name in ("Admin", "administrator"):
        await auth.users.add(name, GOOD)
    first = await auth.users.ensure_administrator(to_file=False)
    assert first is not None
    assert first.name == "admin-2"
    assert auth.users.get("admin").role is Role.VIEWER


async def test_the_file_with_the_first_password_is_private_right_and_gone_after_the_change(
    world: World, auth: Auth
) -> None:
    path = world.store.folder / FIRST_PASSWORD
    first = await auth.users.ensure_administrator(to_file=True)
    assert first is not None
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() == f"user: admin\npassword: {first.password.reveal()}\n"
    await auth.users.add("vera", GOOD)
    await auth.users.set_password("vera", OTHER)
    assert path.exists(), "somebody else's password is not this one"
    await auth.users.set_password("admin", GOOD)
    assert not path.exists()


async def test_without_a_terminal_the_file_is_there_before_the_user(world: World, auth: Auth) -> None:
    (world.store.folder / FIRST_PASSWORD).mkdir()
    assert (await fault_of(auth.users.ensure_administrator(to_file=True))).code == "data_unusable"
    assert auth.users.list() == ()


async def test_no_password_or_hash_prints(auth: Auth) -> None:
    first = await auth.users.ensure_administrator(to_file=False)
    user = auth.users.get("admin")
    assert first is not None
    assert first.password.reveal() not in repr(first)
    assert "argon2" not in repr(user)


async def test_a_role_or_right_of_a_newer_program_grants_nothing(world: World) -> None:
    async with world.auth() as auth:
        user = await auth.users.add("vera", GOOD)

    def fn(connection: sa.Connection) -> None:
        connection.execute(sa.update(tables.users).values(role="emperor"))
        connection.execute(sa.insert(tables.grants).values(id="g", user_id=user.id, right="teleport"))

    await world.store.write(fn)
    async with world.auth() as auth:
        assert auth.users.get("vera").role is Role.VIEWER
        assert not any(auth.rights.allows(who(auth, "vera"), right, "c") for right in Right)
