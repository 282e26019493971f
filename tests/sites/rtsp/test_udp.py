"""Over UDP, on real sockets: the ports, who is heard, order and loss, reports, and the way there."""

from __future__ import annotations

import socket
import struct
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.clock import SystemClock
from appliance.sites.rtsp import rtcp, udp
from appliance.sites.rtsp.errors import RtspError, Unsupported
from appliance.sites.rtsp.oddities import Oddities, Oddity
from appliance.sites.rtsp.source import RtspSource, open_rtsp
from appliance.sites.rtsp.target import RtspTarget
from appliance.sites.rtsp.transport import Transport, ask_for_udp, parse_udp_transport
from appliance.sites.source import SourceError, Trouble
from tests.reference.packets import avcc
from tests.sites.rtsp.camera import IDR, P, status
from tests.sites.rtsp.real import UdpCamera, at, bound, listening
from tests.sites.rtsp.talk import AUDIO, VIDEO

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

OURS = (5000, 5001)


# ---- the header


def test_what_is_asked_for() -> None:
    assert ask_for_udp(OURS) == "RTP/AVP;unicast;client_port=5000-5001"


@pytest.mark.parametrize(
    ("text", "transport", "odd"),
    [
        ("RTP/AVP;unicast;client_port=5000-5001;server_port=6970-6971", Transport(2, 3, None, (6970, 6971)), set()),
        ("RTP/AVP/UDP;unicast;server_port=6970;ssrc=0000ABCD", Transport(2, 3, 0xABCD, (6970, 6971)), set()),
        ("RTP/AVP;unicast;source=cam;server_port=1-2", Transport(2, 3, None, (1, 2)), set()),
        ("RTP/AVP;server_port=1-2", Transport(2, 3, None, (1, 2)), {Oddity.UNICAST_MISSING}),
        ("RTP/AVP;unicast;client_port=5-6;server_port=1-2", Transport(2, 3, None, (1, 2)), {Oddity.CLIENT_PORT_OTHER}),
        ("RTP/AVP;unicast;source=10.9.9.9;server_port=1-2", Transport(2, 3, None, (1, 2)), {Oddity.SOURCE_ELSEWHERE}),
        ("RTP/AVP;unicast;client_port=5000-5001", Transport(2, 3), {Oddity.SERVER_PORT_MISSING}),
        ("RTP/AVP;unicast;server_port=0-0", Transport(2, 3), {Oddity.SERVER_PORT_MISSING}),
        ("RTP/AVP;unicast;server_port=65535-70000", Transport(2, 3), {Oddity.SERVER_PORT_MISSING}),
        ("", Transport(2, 3), {Oddity.TRANSPORT_MISSING}),
    ],
)
def test_the_cameras_ports_are_read_and_nothing_else_is_believed(text, transport, odd) -> None:
    oddities = Oddities()
    assert parse_udp_transport(text, 2, OURS, "cam", oddities) == transport
    assert oddities.names == odd


@pytest.mark.parametrize("text", ["RTP/AVP/TCP;unicast;interleaved=0-1", "RTP/AVP;multicast;port=1-2", "x", ";"])
def test_what_is_not_sent_to_us_over_udp_is_not_supported(text) -> None:
    with pytest.raises(Unsupported, match="over UDP"):
        parse_udp_transport(text, 0, OURS, "cam", Oddities())


@given(st.text(alphabet='RTP/AVUD;,=-"unicaserv_po0123456789 ', max_size=60) | st.text())
def test_any_header_gives_ports_that_can_be_or_the_one_error(text: str) -> None:
    try:
        found = parse_udp_transport(text, 0, OURS, "cam", Oddities())
    except RtspError:
        return
    assert found.server_ports is None or all(0 < port < 65536 for port in found.server_ports)


# ---- the conversation


@asynccontextmanager
async def opened(camera: UdpCamera, options: str = "#transport=udp", **more) -> AsyncIterator[RtspSource]:
    async with listening(camera) as port:
        try:
            with trio.fail_after(8):
                async with open_rtsp(at(port, f"/live{options}"), SystemClock(), **more) as source:
                    yield source
        finally:
            camera.close()


async def take(source: RtspSource, count: int) -> list:
    units: list = []
    while len(units) < count:
        units += await source.receive()
    return units


@pytest.mark.parametrize(("options", "setups"), [("#transport=udp", 2), ("", 3)])
async def test_pictures_come_over_udp_where_it_is_asked_for_and_where_tcp_is_refused(options, setups, nursery) -> None:
    camera = UdpCamera(nursery, tracks=(VIDEO, AUDIO))
    async with opened(camera, options) as source:
        for n in range(3):
            camera.datagram(P if n else IDR, n, n * 9000)
        units = await take(source, 3)
        assert [unit.data for unit in units] == [avcc(IDR), avcc(P), avcc(P)]
        assert source.audio is not None
        assert source.statistics.packets_received == 3
        assert source.statistics.bytes_received > 3 * len(P)
        assert source.statistics.oddities == set()
    assert camera.methods.count("SETUP") == setups
    assert camera.methods[-1] == "TEARDOWN"
    assert len(camera.dialled) == 0
    assert [one + 1 for one, _ in camera.client_ports] == [other for _, other in camera.client_ports]
    assert all(one % 2 == 0 for one, _ in camera.client_ports)


async def test_tcp_alone_is_kept_to(nursery) -> None:
    camera = UdpCamera(nursery)
    with pytest.raises(SourceError, match="461") as caught:
        async with opened(camera, "#transport=tcp"):
            pytest.fail("it cannot be open")
    assert caught.value.trouble == Trouble.REFUSED
    assert camera.methods.count("SETUP") == 1


async def test_a_camera_that_refuses_udp_too_is_told(nursery) -> None:
    camera = UdpCamera(nursery, says=";client_port=1-2")
    camera._answers["SETUP"] = status("461 Unsupported Transport")
    with pytest.raises(SourceError, match="461"):
        async with opened(camera, ""):
            pytest.fail("it cannot be open")
    assert [
        request.headers["Transport"].split(";")[0] for _, request in camera.requests if request.method == "SETUP"
    ] == [
        "RTP/AVP/TCP",
        "RTP/AVP",
    ]


async def test_nothing_is_sent_over_udp_beside_tls() -> None:
    with pytest.raises(Exception, match="nothing is encrypted"):
        RtspTarget.from_url("rtsps://cam/live#transport=udp")


async def test_the_way_is_opened_from_the_ports_that_listen(nursery) -> None:
    camera = UdpCamera(nursery)
    async with opened(camera) as source:
        camera.datagram(IDR, 0, 0)
        await source.receive()
        assert [data[:2] for data in camera.heard(0)] == [b"\x80\0"]
        assert [data[:2] for data in camera.heard(1)] == [b"\x80\xc9"]


async def test_packets_are_put_into_order_and_double_ones_dropped(nursery) -> None:
    camera = UdpCamera(nursery)
    async with opened(camera) as source:
        for n in (0, 2, 1, 1, 4, 3, 0):
            camera.datagram(P if n else IDR, n, n * 9000)
        units = await take(source, 5)
        assert [one.pts < other.pts for one, other in pairwise(units)] == [True] * 4
        assert (source.statistics.packets_lost, source.statistics.units_dropped) == (0, 0)


async def test_what_is_lost_is_waited_for_shortly_and_counted(nursery) -> None:
    camera = UdpCamera(nursery)
    async with opened(camera) as source:
        camera.datagram(IDR, 0, 0)
        camera.datagram(P, 2, 18_000)
        camera.datagram(IDR, 3, 27_000)
        before = trio.current_time()
        units = await take(source, 2)
        assert [unit.is_idr for unit in units] == [True, True]
        assert trio.current_time() - before < 1
        assert source.statistics.packets_lost == 1
        assert source.statistics.units_dropped == 1


async def test_only_the_cameras_host_is_heard(nursery) -> None:
    camera = UdpCamera(nursery, says=";source=127.0.0.2")
    stranger = bound("127.0.0.2")
    async with opened(camera) as source:
        with stranger:
            for n in range(10):  # a picture that somebody else would like us to show
                camera.datagram(IDR + b"other", n, n * 9000, stranger)
            camera.datagram(IDR, 100, 0)
            units = await take(source, 1)
            assert [unit.data for unit in units] == [avcc(IDR)]
            assert source.statistics.packets_received == 1
            assert source.statistics.oddities == {Oddity.SOURCE_ELSEWHERE}


async def test_silence_is_noticed_and_the_answers_of_the_connection_too(nursery, monkeypatch) -> None:
    monkeypatch.setattr("appliance.sites.rtsp.client.MEDIA_WITHIN_S", 0.3)
    camera = UdpCamera(nursery)
    async with opened(camera) as source:
        camera.datagram(IDR, 0, 0)
        await source.receive()
        with pytest.raises(SourceError) as caught:
            await source.receive()
        assert caught.value.trouble == Trouble.TIMEOUT


async def test_a_connection_that_is_closed_ends_the_session(nursery) -> None:
    camera = UdpCamera(nursery)
    async with opened(camera) as source:
        assert camera.stream is not None
        await camera.stream.aclose()
        with pytest.raises(SourceError) as caught:
            await source.receive()
        assert caught.value.trouble == Trouble.CAMERA_LOST


async def test_reports_go_to_the_cameras_control_port_and_goodbyes_come_from_there(nursery, monkeypatch) -> None:
    monkeypatch.setattr("appliance.sites.rtsp.source.REPORT_EVERY_S", 0.05)
    monkeypatch.setattr("appliance.sites.rtsp.client.AFTER_GOODBYE_S", 0.05)
    camera = UdpCamera(nursery)
    async with opened(camera) as source:
        for n in range(10):
            camera.datagram(P if n else IDR, n, n * 9000)
            await source.receive()
            await trio.sleep(0.02)
        reports = [data for data in camera.heard(1) if len(data) > 8]
        assert reports
        assert struct.unpack_from(">I", reports[-1], 8) == (0x1234,)
        camera.send_to(1, struct.pack(">BBHI", 0x81, rtcp.GOODBYE, 1, 0x1234))
        with pytest.raises(SourceError, match="ended the stream"):
            await take(source, 5)


@pytest.mark.parametrize(
    ("says", "server_ports", "odd"),
    [(";client_port=9-10", True, Oddity.CLIENT_PORT_OTHER), ("", False, Oddity.SERVER_PORT_MISSING)],
)
async def test_cameras_that_say_the_wrong_ports_are_watched_all_the_same(says, server_ports, odd, nursery) -> None:
    camera = UdpCamera(nursery, says=says, server_ports=server_ports)
    async with opened(camera) as source:
        camera.datagram(IDR, 0, 0)
        await source.receive()
        assert source.statistics.oddities == {odd}


async def test_the_ports_are_free_again_afterwards(nursery) -> None:
    camera = UdpCamera(nursery)
    async with opened(camera):
        pair = camera.client_ports[0]
        with pytest.raises(OSError, match="in use"):
            udp._bound(socket.AF_INET, ("127.0.0.1", 0), pair[0])
    for port in pair:
        udp._bound(socket.AF_INET, ("127.0.0.1", 0), port).close()


def test_no_two_neighbouring_ports_is_an_error_after_a_bounded_search(monkeypatch) -> None:
    tried = []

    def taken(family, ours, port):
        if port:
            tried.append(port)
            raise OSError
        return real(family, ours, port)

    real = udp._bound
    monkeypatch.setattr(udp, "_bound", taken)
    with pytest.raises(Unsupported, match="No two neighbouring ports"):
        udp._pair(socket.AF_INET, ("127.0.0.1", 0))
    assert len(tried) == udp.ATTEMPTS
