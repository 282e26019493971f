"""One stream of one camera over RTSP, as the source contract wants it (`appliance.sites.source`)."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import trio

from appliance.media.timeline import Timeline
from appliance.sites.rtsp.audio import AudioReceiver
from appliance.sites.rtsp.codecs import VIDEO_CLOCK, JpegPlan, Mpeg4Plan, choose, name_of
from appliance.sites.rtsp.connection import Connection, dial_tcp
from appliance.sites.rtsp.conversation import converse
from appliance.sites.rtsp.errors import BadMessage
from appliance.sites.rtsp.events import Capable, Described, Playing, TcpRefused, TrackReady, TrackRefused
from appliance.sites.rtsp.jpeg import JpegReceiver
from appliance.sites.rtsp.messages import Packets
from appliance.sites.rtsp.mpeg4 import Mpeg4Receiver
from appliance.sites.rtsp.oddities import Oddities, Oddity
from appliance.sites.rtsp.options import Way
from appliance.sites.rtsp.rtcp import REPORT_EVERY_S
from appliance.sites.rtsp.steps import Steps
from appliance.sites.rtsp.trouble import FAILURES, explain
from appliance.sites.rtsp.video import VideoReceiver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from appliance.base.clock import Clock
    from appliance.media.timeline import TrackClock
    from appliance.media.units import AudioFormat, Unit, VideoFormat
    from appliance.sites.polling import Poller
    from appliance.sites.rtsp.codecs import PicturePlan, Plan
    from appliance.sites.rtsp.connection import CheckAddress, Dial
    from appliance.sites.rtsp.errors import RtspError
    from appliance.sites.rtsp.receiver import TrackReports
    from appliance.sites.rtsp.target import RtspTarget
    from appliance.sites.rtsp.tls import Trust
    from appliance.sites.source import SourceError, SourceStatistics

E = TypeVar("E")
PictureReceiver = VideoReceiver | Mpeg4Receiver | JpegReceiver

#: Units kept that come before the answer to PLAY, which has five seconds.
EARLY_LIMIT = 1024
#: Cameras send a picture packet by packet.  Where a read brought none whole, the rest is read together a moment later,
#: all cameras at the same moments: waking up costs more than reading.  A picture comes later by at most so much.
REST_S = 0.01
#: A read that brought so much may have left some behind.
FULL_READ = 32 * 1024


@asynccontextmanager
async def open_rtsp(
    target: RtspTarget,
    clock: Clock,
    *,
    audio: bool = True,
    check_address: CheckAddress | None = None,
    dial: Dial = dial_tcp,
    trust: Trust | None = None,
    poller: Poller | None = None,
) -> AsyncIterator[RtspSource]:
    """Open a camera's stream and play it; at exit the camera is told, for a second at most.

    ``check_address`` says of an IP address why it must not be connected to, or None (abuse A11).  ``dial`` opens the
    stream; tests hand in their own.  ``trust``: what certificates are checked against.  ``poller``: what reads
    it together with others.  Raises `SourceError`.
    """
    steps = Steps(trio.current_time)
    source = await establish(target, clock, steps, audio=audio, check_address=check_address, dial=dial, trust=trust)
    try:
        if poller is not None:
            source.poll_with(poller)
        yield source
    finally:
        await source.aclose()


async def establish(
    target: RtspTarget,
    clock: Clock,
    steps: Steps,
    *,
    audio: bool,
    check_address: CheckAddress | None,
    dial: Dial,
    trust: Trust | None = None,
) -> RtspSource:
    """Open and play; the caller closes.  Raises `SourceError`."""

    async def go(connection: Connection) -> RtspSource:
        return await _play(connection, clock, steps, audio=audio)

    return await converse(target, steps, go, check_address=check_address, dial=dial, trust=trust)


async def describe(connection: Connection, steps: Steps, *, audio: bool) -> Plan:
    """DESCRIBE, and what we take of it."""
    steps.begin("DESCRIBE")
    connection.client.describe(trio.current_time())
    description = (await _wait(connection, Described)).description
    plan = choose(description, connection.oddities, audio=audio)
    announced = [(media, media.formats[0]) for media in description.media if media.formats]
    steps.end(", ".join(f"{media.kind} {name_of(form.encoding, form.payload_type)}" for media, form in announced))
    return plan


async def _wait(connection: Connection, kind: type[E]) -> E:
    """The next event of that kind; packets before PLAY are nobody's."""
    while True:
        event = await connection.next_event()
        if isinstance(event, kind):
            return event


async def _play(connection: Connection, clock: Clock, steps: Steps, *, audio: bool) -> RtspSource:
    """The whole conversation up to the answer to PLAY."""
    steps.begin("OPTIONS")
    connection.client.start(trio.current_time())
    capable = await _wait(connection, Capable)
    steps.end(", ".join(sorted(capable.methods)) or "no list of methods")
    plan = await describe(connection, steps, audio=audio)
    source = RtspSource(connection, plan, clock)
    tracks = [plan.video.media, *([plan.audio.media] if plan.audio else [])]
    steps.begin("SETUP")
    ports = connection.open_ports(len(tracks)) if connection.options.way is Way.UDP else ()
    connection.client.play(tracks, trio.current_time(), ports)
    done = 0
    while True:
        event = await connection.next_event()
        if isinstance(event, Playing):
            steps.end()
            return source
        if isinstance(event, Packets):
            source.take_early(event)  # cameras begin before they have answered
            continue
        if isinstance(event, TcpRefused):
            if connection.options.way is not Way.AUTO or not connection.may_use_udp:
                raise event.error
            connection.client.play(tracks, trio.current_time(), connection.open_ports(len(tracks)))
            continue
        if isinstance(event, TrackReady):
            connection.aim(event.transport)
            source.add_track(event)
        elif isinstance(event, TrackRefused):
            source.drop_audio(event.error)
        done += 1
        if done == len(tracks):
            steps.end(f"{done} over {connection.way.value.upper()}")
            steps.begin("PLAY")


class RtspSource:
    """A playing stream.  Made by `open_rtsp`."""

    def __init__(self, connection: Connection, plan: Plan, clock: Clock) -> None:
        statistics, oddities = connection.statistics, connection.oddities
        self.statistics: SourceStatistics = statistics
        self._connection = connection
        self._clock = clock
        self._oddities = oddities
        self._notes = list(plan.notes)
        self.title = plan.title
        timeline = Timeline(clock)
        self._video = receiver_of(plan.video, timeline.track(VIDEO_CLOCK), statistics, oddities)
        self._audio: AudioReceiver | None = None
        if plan.audio is not None:
            track = timeline.track(plan.audio.clock_rate)
            self._audio = AudioReceiver(plan.audio, track, statistics, oddities)
        self._video_media = plan.video.media
        self._receivers: dict[int, PictureReceiver | AudioReceiver] = {}
        self._controls: dict[int, TrackReports] = {}
        self._heard = 0  # packets of the picture
        self._report_at = trio.current_time() + REPORT_EVERY_S
        self._early: list[Unit] = []
        self._failure: SourceError | None = None

    @property
    def video(self) -> VideoFormat | None:
        return self._video.format

    @property
    def audio(self) -> AudioFormat | None:
        return self._audio.format if self._audio is not None else None

    @property
    def notes(self) -> Sequence[str]:
        return self._notes

    def poll_with(self, poller: Poller) -> None:
        """Read it together with others, as far as that is possible."""
        self._connection.poll_with(poller)

    async def receive(self) -> list[Unit]:
        """The next units: all that one read from the socket completed.  Raises `SourceError`, from then on always."""
        if self._failure is not None:
            raise self._failure
        units, self._early = self._early, []
        try:
            while not units:
                event = await self._connection.next_event()
                if isinstance(event, Packets):
                    self._take(event, units)
                    if not units and len(event.data) < FULL_READ and not self._connection.is_polled:
                        await trio.sleep_until((trio.current_time() // REST_S + 1) * REST_S)
        except FAILURES as error:
            self._note_oddities()
            self._failure = explain(error, self._connection.url)
            raise self._failure from error
        return units

    async def aclose(self) -> None:
        self._note_oddities()
        await self._connection.aclose()

    # ---- while it is opened

    def add_track(self, ready: TrackReady) -> None:
        receiver = self._video if ready.media is self._video_media else self._audio
        assert receiver is not None
        self._receivers[ready.transport.channel] = receiver
        self._controls[ready.transport.control_channel] = receiver.reports

    def drop_audio(self, error: RtspError) -> None:
        self._audio = None
        self._notes.append(f"audio: the camera refuses to send it. {error.message}")

    def take_early(self, packets: Packets) -> None:
        self._take(packets, self._early)
        if len(self._early) > EARLY_LIMIT:
            raise BadMessage("The camera sends and sends, and does not answer PLAY.")

    # ---- packets

    def _take(self, packets: Packets, units: list[Unit]) -> None:
        arrival_90k, now = self._clock.utc_90k(), self._connection.heard_at
        spans, receivers, at = packets.spans, self._receivers, 0
        while at < len(spans):
            channel, start, end = spans[at]
            receiver = receivers.get(channel)
            if receiver is not None:
                at = receiver.packets(packets, at, arrival_90k, now, units)
            else:
                self._take_control(channel, bytes(packets.data[start:end]), arrival_90k, now)
                at += 1
        heard = self._video.reports.counters.received
        if heard != self._heard:
            self._heard = heard
            self._connection.client.media_heard(now)
            self._count(heard)
        elif self._audio is not None:
            self._count(heard)
        if now >= self._report_at:
            self._report_at = now + REPORT_EVERY_S
            self._send_reports(now)

    def _take_control(self, channel: int, packet: bytes, arrival_90k: int, now: float) -> None:
        reports = self._controls.get(channel)
        if reports is None:
            self._oddities.note(Oddity.UNKNOWN_CHANNEL)
        elif reports.control(packet, arrival_90k, now) and reports is self._video.reports:
            self._connection.client.goodbye_heard(now)

    def _count(self, received: int) -> None:
        lost = self._video.reports.counters.lost
        if self._audio is not None:
            sound = self._audio.reports.counters
            received, lost = received + sound.received, lost + sound.lost
        self.statistics.packets_received, self.statistics.packets_lost = received, lost

    def _send_reports(self, now: float) -> None:
        for channel, reports in self._controls.items():
            packet = reports.report(now)
            if packet is not None:
                self._connection.send_control(channel, packet)

    def _note_oddities(self) -> None:
        for reports in self._controls.values():
            reports.note_oddities()


def receiver_of(
    plan: PicturePlan, clock: TrackClock, statistics: SourceStatistics, oddities: Oddities
) -> PictureReceiver:
    """What takes the packets of such a track."""
    if isinstance(plan, Mpeg4Plan):
        return Mpeg4Receiver(plan, clock, statistics, oddities)
    if isinstance(plan, JpegPlan):
        return JpegReceiver(plan, clock, statistics, oddities)
    return VideoReceiver(plan, clock, statistics, oddities)
