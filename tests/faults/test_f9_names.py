"""F9: the name server that knows a camera's name does not answer.  The wait is bounded and told, and others connect."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from appliance.sites.rtsp.source import open_rtsp
from appliance.sites.rtsp.target import RtspTarget
from appliance.sites.source import SourceError, Trouble
from tests.streams.scripted import TrioClock


class Silent(trio.abc.HostnameResolver):
    """Never answers."""

    asked = 0

    async def getaddrinfo(self, *_: Any) -> Any:
        self.asked += 1
        await trio.sleep_forever()

    async def getnameinfo(self, sockaddr: Any, flags: int) -> Any:
        raise NotImplementedError


async def test_f9_a_name_that_is_not_answered_is_a_timeout_and_others_are_reached_meanwhile(autojump_clock) -> None:
    names = Silent()
    trio.socket.set_custom_hostname_resolver(names)
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    reached = trio.Event()
    waited: list[float] = []

    async def ask(host: str) -> Trouble:
        began = trio.current_time()
        with pytest.raises(SourceError) as caught:
            async with open_rtsp(RtspTarget.from_url(f"rtsp://{host}:{port}/"), TrioClock()):
                pytest.fail("nobody speaks RTSP there")
        waited.append(trio.current_time() - began)
        return Trouble(caught.value.trouble)

    async def serve(stream: trio.SocketStream) -> None:
        reached.set()
        await stream.aclose()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, serve, listeners)
        async with trio.open_nursery() as asking:
            for _ in range(100):  # more than there are threads for such things
                asking.start_soon(ask, "camera.lan")
            await trio.testing.wait_all_tasks_blocked()
            assert names.asked == 100
            await ask("127.0.0.1")
            assert reached.is_set()
            assert len(waited) == 1  # it did not wait for the others
        assert await ask("camera.lan") == Trouble.TIMEOUT
        nursery.cancel_scope.cancel()
    assert waited[-1] == pytest.approx(5)
    assert max(waited) == pytest.approx(5)
