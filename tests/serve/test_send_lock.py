"""Whether somebody sends is known to the port, at each moment."""

from __future__ import annotations

import pytest
import trio

from appliance._native.fanout import Port
from appliance.serve.send_lock import SendLock


@pytest.fixture
def lock() -> SendLock:
    return SendLock(Port())


def held(lock: SendLock) -> bool:
    assert lock._port.held == lock.locked()
    return lock.locked()


async def test_the_port_is_held_while_somebody_holds_the_lock(lock) -> None:
    assert not held(lock)
    async with lock:
        assert held(lock)
        assert lock.is_mine
    assert not held(lock)
    with pytest.raises(KeyError):
        async with lock:
            raise KeyError
    assert not held(lock)


async def test_it_is_handed_on_without_a_moment_in_between(lock, nursery) -> None:
    async def hold() -> None:
        async with lock:
            assert held(lock)

    await lock.acquire()
    nursery.start_soon(hold)
    await trio.testing.wait_all_tasks_blocked()
    lock.release()
    assert held(lock)
    assert not lock.is_mine
    await trio.testing.wait_all_tasks_blocked()
    assert not held(lock)


async def test_both_say_the_same_at_each_step_whatever_others_do(lock) -> None:
    async def use(scope: trio.CancelScope) -> None:
        with scope:
            for _ in range(5):
                async with lock:
                    await trio.lowlevel.checkpoint()

    for patience in range(12):
        scopes = [trio.CancelScope() for _ in range(4)]
        async with trio.open_nursery() as nursery:
            for scope in scopes:
                nursery.start_soon(use, scope)
            for step in range(60):
                if step == patience:
                    scopes[0].cancel()
                held(lock)
                await trio.lowlevel.checkpoint()
        assert not held(lock)


async def test_who_gives_up_at_once_does_not_hold_it(lock) -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        await lock.acquire()
    assert scope.cancelled_caught
    assert not held(lock)


async def test_who_gives_up_waiting_for_another_leaves_it_held(lock, nursery) -> None:
    async def wait(scope: trio.CancelScope) -> None:
        with scope:
            await lock.acquire()

    await lock.acquire()
    scope = trio.CancelScope()
    nursery.start_soon(wait, scope)
    await trio.testing.wait_all_tasks_blocked()
    scope.cancel()
    await trio.testing.wait_all_tasks_blocked()
    assert scope.cancelled_caught
    assert held(lock)
    lock.release()
    assert not held(lock)
