"""The driver on a scripted camera: good days, bad days and malice; time jumps where nothing happens."""

from __future__ import annotations

import socket
import struct
import tracemalloc
from functools import partial
from typing import TYPE_CHECKING

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.units import AccessUnit, AudioUnit
from appliance.sites.names import Names
from appliance.sites.rtsp.connection import dial_tcp
from appliance.sites.rtsp.oddities import Oddity
from appliance.sites.rtsp.source import REST_S, open_rtsp
from appliance.sites.rtsp.target import RtspTarget
from appliance.sites.source import SourceError, Trouble
from tests.reference.packets import avcc, fu_a, interleaved, payloads
from tests.reference.packets import rtp as packet
from tests.sites.rtsp.camera import IDR, P, ScriptedCamera, TrioClock, silent, status
from tests.sites.rtsp.real import listening
from tests.sites.rtsp.talk import AV1, G726, PCMU, VIDEO, VIDEO_WITHOUT_SETS, response, sdp

if TYPE_CHECKING:
    from appliance.sites.rtsp.connection import CheckAddress, Dial

TARGET = RtspTarget.from_url("rtsp://canary-user:canary-word@192.0.2.7/canary-path")
CHALLENGE = {"WWW-Authenticate": 'Digest realm="r", nonce="n"'}


def opened(camera: ScriptedCamera, **options):
    return open_rtsp(TARGET, TrioClock(), dial=camera.dial, **options)


async def trouble_of(camera: ScriptedCamera) -> SourceError:
    """The error that opening the camera, or reading from it, ends in.  It must not tell secrets."""
    with pytest.raises(SourceError) as caught:
        await watch(camera.dial)
    assert "canary" not in f"{caught.value} {caught.value!r}"
    return caught.value


async def watch(dial) -> None:
    """Open and read for ever."""
    async with open_rtsp(TARGET, TrioClock(), dial=dial) as source:
        while True:
            await source.receive()


async def take(source, count: int) -> list:
    units: list = []
    while len(units) < count:
        units += await source.receive()
    return units


async def test_pictures_and_sound_come_as_units(nursery, autojump_clock) -> None:
    async def media(camera: ScriptedCamera) -> None:
        for n in range(5):
            await camera.sound(b"tone", n, n * 1600)
            await camera.picture(P if n else IDR, n * 9000)
            await trio.sleep(0.1)

    camera = ScriptedCamera(nursery, media=media)
    async with opened(camera) as source:
        assert source.video is not None
        assert source.audio is not None
        assert (source.video.width, source.audio.sample_rate, list(source.notes)) == (1280, 16_000, [])
        units = await take(source, 10)
        pictures = [unit for unit in units if isinstance(unit, AccessUnit)]
        tones = [unit for unit in units if isinstance(unit, AudioUnit)]
        assert [unit.data for unit in pictures] == [avcc(IDR)] + [avcc(P)] * 4
        assert [unit.pts - pictures[0].pts for unit in pictures] == [0, 9000, 18_000, 27_000, 36_000]
        assert [unit.pts - pictures[0].pts for unit in tones] == [0, 9000, 18_000, 27_000, 36_000]
        assert {unit.run for unit in units} == {units[0].run}
        assert abs(pictures[0].pts - TrioClock().utc_90k()) < TICKS_PER_SECOND
        assert (source.statistics.packets_received, source.statistics.packets_lost) == (10, 0)
        assert source.statistics.bytes_received > 500
        assert source.statistics.oddities == set()
    assert camera.methods == ["OPTIONS", "DESCRIBE", "SETUP", "SETUP", "PLAY", "TEARDOWN"]
    await camera.gone.wait()


async def test_one_read_is_one_batch(nursery, autojump_clock) -> None:
    async def media(camera: ScriptedCamera) -> None:
        numbered = [packet(P if n else IDR, sequence=n, time=n * 3000, marker=True) for n in range(20)]
        await camera.send(b"".join(interleaved(0, data) for data in numbered))

    async with opened(ScriptedCamera(nursery, media=media)) as source:
        assert len(await source.receive()) == 20


async def test_a_picture_that_comes_packet_by_packet_takes_few_reads(nursery, autojump_clock) -> None:
    reads = 0

    class Counted(trio.abc.ReceiveStream):
        def __init__(self, stream: trio.abc.ReceiveStream) -> None:
            self._stream = stream

        async def receive_some(self, max_bytes=None):
            nonlocal reads
            reads += 1
            return await self._stream.receive_some(max_bytes)

        async def aclose(self) -> None:
            await self._stream.aclose()

    async def media(camera: ScriptedCamera) -> None:
        for n in range(10):
            parts = payloads((P if n else IDR) + b"\x5a" * 18_000, 920)
            for number, part in enumerate(parts):  # as cameras do: spread over half of the picture's time
                last = number == len(parts) - 1
                await camera.send(interleaved(0, packet(part, sequence=camera.sequence, time=n * 3600, marker=last)))
                camera.sequence += 1
                await trio.sleep(0.001)
            await trio.sleep(0.02)

    camera = ScriptedCamera(nursery, media=media)

    async def dial(url, check_address):
        stream = await camera.dial(url, check_address)
        return trio.StapledStream(stream.send_stream, Counted(stream.receive_stream))

    async with open_rtsp(TARGET, TrioClock(), dial=dial, audio=False) as source:
        before = reads
        began = trio.current_time()
        units = await take(source, 10)
        late = trio.current_time() - began - (9 * 0.04 + 0.019)
    assert [unit.is_idr for unit in units] == [True] + [False] * 9
    assert reads - before <= 10 * 5  # not 200
    assert late <= REST_S


async def test_without_sound_wanted_none_is_set_up(nursery, autojump_clock) -> None:
    camera = ScriptedCamera(nursery, media=lambda camera: camera.pictures(1))
    async with opened(camera, audio=False) as source:
        assert source.audio is None
    assert camera.methods.count("SETUP") == 1


async def test_sound_that_cannot_be_played_is_a_note(nursery, autojump_clock) -> None:
    camera = ScriptedCamera(nursery, tracks=(VIDEO, G726))
    async with opened(camera) as source:
        assert list(source.notes) == ["audio: G.726 is not played yet"]
        assert source.audio is None


async def test_sound_that_is_refused_is_a_note(nursery, autojump_clock) -> None:
    camera = ScriptedCamera(nursery)
    good = camera._answers["SETUP"]
    camera._answers["SETUP"] = lambda request: (
        good(request) if request.url.endswith("1") else status("461 Unsupported Transport")(request)
    )
    async with opened(camera) as source:
        assert source.audio is None
        assert "461" in source.notes[0]


async def test_packets_from_before_the_answer_to_play_are_kept(nursery, autojump_clock) -> None:
    def play(request):
        return interleaved(0, packet(IDR, marker=True)) + response(cseq=request.headers["CSeq"])

    async with opened(ScriptedCamera(nursery, {"PLAY": play})) as source:
        assert [unit.data for unit in await source.receive()] == [avcc(IDR)]


async def test_a_camera_that_sends_without_end_before_it_answers_play_is_left(autojump_clock) -> None:
    whole = answers()
    flood = b"".join(interleaved(0, packet(IDR, sequence=n, time=n * 9, marker=True)) for n in range(1100))
    unanswered = whole[: whole.rindex(b"RTSP/1.0")]

    async def dial(url, check_address):
        return Flood(unanswered + flood, flood)

    with pytest.raises(SourceError, match="sends and sends") as caught:
        await watch(dial)
    assert caught.value.trouble == Trouble.CAMERA_LOST


async def test_parameter_sets_that_come_in_band_give_the_format(nursery, autojump_clock) -> None:
    camera = ScriptedCamera(nursery, media=lambda camera: camera.pictures(2), tracks=(VIDEO_WITHOUT_SETS,))
    async with opened(camera) as source:
        assert source.video is None
        await source.receive()
        assert source.video is not None
        assert source.video.width == 1280


async def test_a_loss_is_counted_and_pictures_resume_at_the_next_idr(nursery, autojump_clock) -> None:
    async def media(camera: ScriptedCamera) -> None:
        for n in range(30):
            if n == 14:
                camera.sequence += 1  # one packet that never comes
            await camera.picture(P if n % 10 else IDR, n * 9000)
            await trio.sleep(0.1)

    async with opened(ScriptedCamera(nursery, media=media)) as source:
        units = await take(source, 24)
        resumed = next(n for n, unit in enumerate(units) if n and unit.seq != units[n - 1].seq + 1)
        assert (resumed, units[resumed].is_idr) == (14, True)
        assert source.statistics.packets_lost == 1
        assert source.statistics.units_dropped == 6


# ---- what goes wrong


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
async def test_silence_at_any_step_is_a_timeout_after_five_seconds(method, nursery, autojump_clock) -> None:
    error = await trouble_of(ScriptedCamera(nursery, {method: silent}))
    assert error.trouble == Trouble.TIMEOUT
    assert method in error.message
    # TEARDOWN, where a session is open, is waited for as well: a second at most
    assert trio.current_time() <= 5.0


async def test_silence_after_play_is_a_timeout_within_five_seconds(nursery, autojump_clock) -> None:
    error = await trouble_of(ScriptedCamera(nursery))
    assert (error.trouble, error.message) == (Trouble.TIMEOUT, "The camera sends no more pictures.")
    assert trio.current_time() <= 5.0


async def test_sound_alone_is_no_picture(nursery, autojump_clock) -> None:
    async def media(camera: ScriptedCamera) -> None:
        for n in range(1000):
            await camera.sound(b"tone", n, n * 1024)
            await trio.sleep(0.064)

    assert (await trouble_of(ScriptedCamera(nursery, media=media))).trouble == Trouble.TIMEOUT
    assert trio.current_time() <= 5.0


async def test_an_error_stays_what_it_was(nursery, autojump_clock) -> None:
    async with opened(ScriptedCamera(nursery)) as source:
        for _ in range(2):
            with pytest.raises(SourceError) as caught:
                await source.receive()
            assert caught.value.trouble == Trouble.TIMEOUT


@pytest.mark.parametrize(
    ("answers", "tracks", "trouble", "says"),
    [
        ({"DESCRIBE": status("401 Unauthorized", **CHALLENGE)}, (), Trouble.BAD_CREDENTIALS, "refused the user name"),
        ({"DESCRIBE": status("404 Not Found")}, (), Trouble.NOT_FOUND, "no stream at this address"),
        ({"DESCRIBE": status("403 Forbidden")}, (), Trouble.REFUSED, "403 Forbidden"),
        ({"SETUP": status("453 Not Enough Bandwidth")}, (), Trouble.REFUSED, "end other viewers"),
        ({"SETUP": status("461 Unsupported Transport")}, (), Trouble.REFUSED, "leave its transport out"),
        ({"PLAY": status("500 Internal Server Error")}, (), Trouble.REFUSED, "PLAY with 500"),
        ({}, (AV1,), Trouble.UNSUPPORTED_CODEC, "AV1"),
        ({}, (PCMU,), Trouble.UNSUPPORTED_CODEC, "no video"),
        ({"OPTIONS": lambda _: b"\x16\x03\x01\0\2"}, (), Trouble.CAMERA_LOST, "0x16"),
        ({"OPTIONS": lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n"}, (), Trouble.CAMERA_LOST, "HTTP"),
        ({"DESCRIBE": lambda _: b"RTSP/1.0 200 OK\r\nCSe"}, (), Trouble.TIMEOUT, "DESCRIBE"),
        ({"DESCRIBE": status("302 Found", Location="rtsp://198.51.100.1/canary")}, (), Trouble.REFUSED, "another host"),
        ({"DESCRIBE": status("302 Found", Location="nonsense")}, (), Trouble.REFUSED, "another host"),
        ({"DESCRIBE": status("302 Found", Location="rtsp://192.0.2.7/round")}, (), Trouble.REFUSED, "in circles"),
    ],
)  # fmt: skip
async def test_failures_have_a_reason_and_a_sentence(answers, tracks, trouble, says, nursery, autojump_clock) -> None:
    error = await trouble_of(ScriptedCamera(nursery, answers, tracks=tracks))
    assert error.trouble == trouble
    assert says in str(error)


async def test_a_redirection_within_the_host_is_followed(nursery, autojump_clock) -> None:
    camera = ScriptedCamera(nursery, media=lambda camera: camera.pictures(1))
    good = camera._answers["DESCRIBE"]
    camera._answers["DESCRIBE"] = lambda request: (
        good(request)
        if request.url.endswith("/new")
        else status("301 Moved", Location="rtsp://192.0.2.7:8554/new")(request)
    )
    async with opened(camera) as source:
        await source.receive()
    assert camera.dialled == ["rtsp://192.0.2.7/canary-path", "rtsp://192.0.2.7:8554/new"]


async def test_a_camera_that_closes_the_connection_is_lost(nursery, autojump_clock) -> None:
    async def media(camera: ScriptedCamera) -> None:
        await camera.pictures(3)
        await camera.stream.aclose()

    error = await trouble_of(ScriptedCamera(nursery, media=media))
    assert (error.trouble, error.message) == (Trouble.CAMERA_LOST, "The camera closed the connection.")


async def test_a_camera_that_says_goodbye_is_lost_after_a_second(nursery, autojump_clock) -> None:
    async def media(camera: ScriptedCamera) -> None:
        await camera.pictures(3)
        await camera.send(interleaved(1, b"\x81\xcb\0\1\0\0\x12\x34"))

    error = await trouble_of(ScriptedCamera(nursery, media=media))
    assert (error.trouble, error.message) == (Trouble.CAMERA_LOST, "The camera ended the stream.")
    assert trio.current_time() < 1.5


async def test_packets_nobody_asked_for_are_named_and_do_not_count_as_pictures(nursery, autojump_clock) -> None:
    async def media(camera: ScriptedCamera) -> None:
        for n in range(100):
            await camera.send(interleaved(9, b"?") + interleaved(0, packet(P, sequence=n, payload_type=33)))
            await trio.sleep(0.1)

    async with opened(ScriptedCamera(nursery, media=media)) as source:
        with pytest.raises(SourceError, match="no more pictures"):
            await source.receive()
        assert source.statistics.oddities == {Oddity.UNKNOWN_CHANNEL, Oddity.FOREIGN_PAYLOAD_TYPE}


# ---- keeping the session


async def test_keep_alives_and_reports_are_sent_while_pictures_flow(nursery, autojump_clock) -> None:
    camera = ScriptedCamera(nursery, media=lambda camera: camera.pictures(650))
    async with opened(camera) as source:
        await take(source, 640)
    keep_alives = [round(at) for at, request in camera.requests if request.method == "GET_PARAMETER"]
    assert keep_alives == [30, 60]
    reports = [(round(at), channel) for at, channel, _ in camera.packets]
    assert reports == [(at, 1) for at in range(5, 65, 5)]
    (ssrc,) = struct.unpack_from(">I", camera.packets[-1][2], 8)
    assert ssrc == 0x1234


async def test_sender_reports_move_the_timeline_to_the_cameras_clock(nursery, autojump_clock) -> None:
    async def media(camera: ScriptedCamera) -> None:
        await camera.picture(IDR, 0)
        await trio.sleep(0.01)
        seconds, rest = divmod(TrioClock().utc_90k() - 45_000, TICKS_PER_SECOND)  # half a second behind ours
        ntp = (seconds + 2_208_988_800) << 32 | (rest << 32) // TICKS_PER_SECOND
        await camera.send(interleaved(1, struct.pack(">BBHIQIII", 0x80, 200, 6, 0x1234, ntp, 900, 0, 0)))
        for n in range(1, 1000):
            await camera.picture(P, n * 3600)
            await trio.sleep(0.04)

    async with opened(ScriptedCamera(nursery, media=media)) as source:
        units = await take(source, 900)
        assert units[0].pts == 1_700_000_000 * TICKS_PER_SECOND  # when it arrived
        assert abs(units[-1].pts - (units[0].pts - 45_000 + 899 * 3600)) < 90
        assert {one.run for one in units} == {units[0].run}


# ---- leaving


async def test_a_camera_that_does_not_answer_teardown_is_left_after_a_second(nursery, autojump_clock) -> None:
    camera = ScriptedCamera(nursery, {"TEARDOWN": silent}, media=lambda camera: camera.pictures(1))
    async with opened(camera) as source:
        await source.receive()
        before = trio.current_time()
    assert trio.current_time() - before == pytest.approx(1.0)
    await camera.gone.wait()


async def test_cancellation_tears_the_session_down_as_well(nursery, autojump_clock) -> None:
    camera = ScriptedCamera(nursery, media=lambda camera: camera.pictures(1000))
    with trio.move_on_after(3):
        async with opened(camera) as source:
            while True:
                await source.receive()
    assert camera.methods[-1] == "TEARDOWN"
    await camera.gone.wait()


async def test_cancellation_while_opening_leaves_nothing_open(nursery, autojump_clock) -> None:
    camera = ScriptedCamera(nursery, {"DESCRIBE": silent})
    with trio.move_on_after(2):
        async with opened(camera):
            pytest.fail("it cannot be open")
    await camera.gone.wait()


# ---- malice (abuse A12)


class Flood:
    """A stream that gives the same bytes for ever, and takes what it is given."""

    def __init__(self, first: bytes, again: bytes) -> None:
        self._first, self._again = first, again
        self.given = 0

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        await trio.sleep(0.02)
        data, self._first = self._first or self._again, b""
        self.given += len(data)
        return data

    async def send_all(self, data: bytes) -> None:
        await trio.lowlevel.checkpoint()

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


def answers(*more: bytes) -> bytes:
    """The good answers to everything, before anything was asked."""
    transport = {"Session": "7", "Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"}
    return b"".join(
        [
            response(cseq="1"),
            response(headers={"Content-Type": "application/sdp"}, body=sdp(VIDEO), cseq="2"),
            response(headers=transport, cseq="3"),
            response(cseq="4"),
            *more,
        ]
    )


@pytest.mark.parametrize(
    ("first", "again", "trouble"),
    [
        (b"RTSP/1.0 200 OK\r\n", b"X: " + b"y" * 50_000 + b"\r\n", Trouble.CAMERA_LOST),
        (b"RTSP/1.0 200 OK\r\n", b"a: b\r\n" * 500, Trouble.CAMERA_LOST),
        (b"RTSP/1.0 200 OK\r\nX: ", b"y" * 60_000, Trouble.CAMERA_LOST),
        (b"RTSP/1.0 200 OK\r\nContent-Length: 4294967296\r\n\r\n", b"a=x\r\n" * 9999, Trouble.CAMERA_LOST),
        (response(cseq="1") + b"RTSP/1.0 200 OK\r\nContent-Length: 65536\r\n\r\nv=0\r\n", b"a=x\r\n" * 999,
         Trouble.CAMERA_LOST),
        (b"", b"\r\n" * 30_000, Trouble.TIMEOUT),
        (b"", interleaved(0, b"x" * 65_535), Trouble.TIMEOUT),
        (b"", b"$\0\0\0" * 15_000, Trouble.TIMEOUT),
        (b"", b"\r\n$\0\0\0" * 10_000, Trouble.CAMERA_LOST),
        (b"", response("100 Continue", cseq="1") * 100, Trouble.TIMEOUT),
        (answers(), interleaved(0, b"\x80" * 65_000), Trouble.TIMEOUT),
        (answers(), b"$\0\xff\xff", Trouble.TIMEOUT),
        (answers(), b"\0" * 60_000, Trouble.CAMERA_LOST),
    ],
)  # fmt: skip
async def test_floods_end_in_an_error_and_bounded_memory(first, again, trouble, autojump_clock) -> None:
    flood = Flood(first, again)

    async def dial(url, check_address):
        return flood

    tracemalloc.start()
    try:
        with pytest.raises(SourceError) as caught:
            await watch(dial)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.trouble == trouble
    assert peak < 4 << 20


async def test_a_picture_that_never_ends_is_dropped_and_the_next_one_comes(nursery, autojump_clock) -> None:
    async def media(camera: ScriptedCamera) -> None:
        await camera.picture(IDR, 0)
        part = b"\x7c\x05" + b"a" * 60_000
        await camera.send(interleaved(0, packet(b"\x7c\x85\x88", sequence=1, time=9)))
        for n in range(2, 300):  # 18 MB, where 8 is the limit
            await camera.send(interleaved(0, packet(part, sequence=n, time=9)))
            await trio.sleep(0.001)
        camera.sequence = 300
        await camera.picture(IDR, 90_000)

    async with opened(ScriptedCamera(nursery, media=media)) as source:
        units = await take(source, 2)
        assert [len(unit.data) for unit in units] == [len(avcc(IDR))] * 2
        assert Oddity.UNIT_TOO_BIG in source.statistics.oddities


async def test_a_camera_that_does_not_read_is_left(nursery, autojump_clock) -> None:
    class Deaf(Flood):
        async def send_all(self, data: bytes) -> None:
            await trio.sleep_forever()

    async def dial(url, check_address):
        return Deaf(b"", b"\r\n")

    with pytest.raises(SourceError) as caught:
        async with open_rtsp(TARGET, TrioClock(), dial=dial):
            pytest.fail("it cannot be open")
    assert caught.value.trouble == Trouble.TIMEOUT
    assert trio.current_time() <= 5.1


async def test_answers_that_trickle_for_ever_are_given_up(nursery, autojump_clock) -> None:
    class Trickle(Flood):
        async def receive_some(self, max_bytes: int | None = None) -> bytes:
            await trio.sleep(4.9)  # each answer just in time, and each a challenge
            self.given += 1
            return response("100 Continue", cseq="1")

    async def dial(url, check_address):
        return Trickle(b"", b"")

    with pytest.raises(SourceError) as caught:
        async with open_rtsp(TARGET, TrioClock(), dial=dial):
            pytest.fail("it cannot be open")
    assert caught.value.trouble == Trouble.TIMEOUT
    assert trio.current_time() <= 5.0


MESS = st.lists(
    st.sampled_from(
        [
            interleaved(0, packet(IDR, marker=True)),
            interleaved(0, packet(P, sequence=9, time=5, marker=True)),
            interleaved(1, b"\x80\xc8\0\0"),
            interleaved(1, b"\x81\xcb\0\1\0\0\x12\x34"),
            *[interleaved(0, packet(part, sequence=n)) for n, part in enumerate(fu_a(IDR, 20))],
            response(cseq="4"),
            b"OPTIONS * RTSP/1.0\r\n\r\n",
            b"$\0\0",
        ]
    )
    | st.binary(max_size=30),
    max_size=8,
).map(b"".join)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 4), MESS)
def test_whatever_a_camera_sends_and_whenever_only_the_contract_comes_out(good: int, mess: bytes) -> None:
    whole = answers()
    heads = [n for n in range(len(whole)) if whole.startswith(b"RTSP/1.0", n)] + [len(whole)]

    class Once(Flood):
        async def receive_some(self, max_bytes: int | None = None) -> bytes:
            await trio.lowlevel.checkpoint()
            data, self._first = self._first, b""
            return data

    async def dial(url, check_address):
        return Once(whole[: heads[good]] + mess, b"")

    async def main() -> None:
        with pytest.raises(SourceError):
            await watch(dial)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


# ---- real sockets


async def test_a_port_that_nobody_listens_on_is_refused() -> None:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    await listener.aclose()
    with pytest.raises(SourceError) as caught:
        async with open_rtsp(RtspTarget.from_url(f"rtsp://127.0.0.1:{port}/"), TrioClock()):
            pytest.fail("it cannot be open")
    assert (caught.value.trouble, caught.value.message) == (Trouble.REFUSED, f"Nothing answers at 127.0.0.1:{port}.")


class Resolver:
    """Knows ``camera.lan``, under another address each time it is asked (DNS rebinding)."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.asked = 0
        self.names = Names(self.resolve)

    @property
    def dial(self):
        return partial(dial_tcp, names=self.names)

    def resolve(self, host, port, **_):
        assert host == b"camera.lan"
        self.asked += 1
        if not self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (self.addresses.pop(0), port))]


async def test_a_name_is_resolved_once_and_the_address_checked_is_the_one_dialled() -> None:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    names = Resolver("127.0.0.1", "169.254.169.254")
    checked: list[str] = []

    def check(address: str) -> str | None:
        checked.append(address)
        return None

    async with listener:
        with trio.move_on_after(0.2):
            target = RtspTarget.from_url(f"rtsp://camera.lan:{port}/")
            async with open_rtsp(target, TrioClock(), check_address=check, dial=names.dial):
                pytest.fail("nothing answers there")
    assert (checked, names.asked) == (["127.0.0.1"], 1)


async def test_a_redirection_leads_to_the_same_machine_though_its_name_leads_elsewhere(nursery) -> None:
    camera = ScriptedCamera(nursery)
    async with listening(camera) as port:
        moved = f"rtsp://camera.lan:{port}/moved"
        camera._answers["DESCRIBE"] = status("302 Found", Location=moved)
        names = Resolver("127.0.0.1", "127.0.0.2")
        with pytest.raises(SourceError, match="another machine than before") as caught:
            await watch_at(RtspTarget.from_url(f"rtsp://camera.lan:{port}/"), names.dial)
    assert caught.value.trouble == Trouble.REFUSED
    assert camera.methods == ["OPTIONS", "DESCRIBE"]


async def watch_at(target: RtspTarget, dial: Dial, check_address: CheckAddress | None = None) -> None:
    async with open_rtsp(target, TrioClock(), dial=dial, check_address=check_address):
        pytest.fail("it cannot be open")


async def test_an_address_that_may_not_be_used_is_not_dialled() -> None:
    names = Resolver("169.254.169.254")
    with pytest.raises(SourceError) as caught:
        await watch_at(RtspTarget.from_url("rtsp://camera.lan/"), names.dial, lambda _: "it is a cloud's own")
    assert caught.value.trouble == Trouble.REFUSED
    assert "it is a cloud's own" in caught.value.message


async def test_a_name_that_is_not_known_says_so() -> None:
    with pytest.raises(SourceError) as caught:
        await watch_at(RtspTarget.from_url("rtsp://camera.lan/"), Resolver().dial)
    assert (caught.value.trouble, caught.value.message) == (
        Trouble.NOT_FOUND,
        "The name camera.lan is not known in this network.",
    )


async def test_a_camera_that_fell_silent_is_told_and_not_waited_for(nursery, autojump_clock) -> None:
    camera = ScriptedCamera(nursery, {"TEARDOWN": silent}, media=lambda camera: camera.pictures(1))
    async with opened(camera) as source:
        await source.receive()
        with pytest.raises(SourceError):
            await source.receive()
        before = trio.current_time()
    assert trio.current_time() == before
    await camera.gone.wait()
    assert camera.methods[-1] == "TEARDOWN"
