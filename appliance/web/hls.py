"""HLS for players: ``hls/index.m3u8``, the playlist that it leads to, and the pieces of that.

A player that came with a ticket goes on with a playing ticket, which stands in the addresses that it is told: the one
it began with ends after a minute.  Each request is let in or not as any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from quart import Response

from appliance.auth.rights import Right
from appliance.base.faults import Fault, Kind, invalid
from appliance.media.hls_names import Piece, parse_name
from appliance.media.units import MJPEG
from appliance.streams.beginning import wait_beginning
from appliance.streams.hls import RELOAD_S
from appliance.web import problem
from appliance.web.live import check_cap
from appliance.web.players import wanted_stream
from appliance.web.table import Parameter, Route, Video

if TYPE_CHECKING:
    from appliance.sites.cameras import StreamConfig
    from appliance.streams.audience import Guest
    from appliance.streams.hls import HlsOutput
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services

PLAYLIST: Final = "application/vnd.apple.mpegurl"
PATH: Final = "/api/v1/cameras/<camera_id>/hls/"
#: What the variants are called, without sound and with it.
TRACKS: Final = ("video", "av")
#: What is said of a stream that has not been measured yet, in bits a second.
USUAL_BANDWIDTH = 4_000_000
#: A peak, over what is measured.
PEAK = 1.5
LARGEST = 999_999_999


class Hls:
    """The routes of this module."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def add_to(self, gate: Gate) -> None:
        gate.add(
            Route(
                "hls_index",
                "GET",
                f"{PATH}index.m3u8",
                Right.LIVE,
                self.index,
                "Live video for HLS players: where they begin",
                camera="camera_id",
                by_ticket=True,
                video=Video.NATIVE,
                media_type=PLAYLIST,
                query=(
                    Parameter("stream", "string", "main, sub …: the camera's stream; the largest if not given"),
                    Parameter("audio", "integer", "0: without sound"),
                ),
            )
        )
        gate.add(
            Route(
                "hls_playlist",
                "GET",
                f"{PATH}<stream>/<tracks>/live.m3u8",
                Right.LIVE,
                self.playlist,
                "What there is to play, with low latency (rfc8216bis)",
                camera="camera_id",
                by_ticket=True,
                video=Video.NATIVE,
                media_type=PLAYLIST,
                query=(
                    Parameter("_HLS_msn", "integer", "wait until this segment is there"),
                    Parameter("_HLS_part", "integer", "or this part of it"),
                ),
            )
        )
        gate.add(
            Route(
                "hls_piece",
                "GET",
                f"{PATH}<stream>/<tracks>/<piece>",
                Right.LIVE,
                self.piece,
                "An init segment, a segment or a part, as the playlist calls them",
                camera="camera_id",
                by_ticket=True,
                video=Video.NATIVE,
                media_type="video/mp4",
            )
        )

    async def index(self, call: Call) -> Response:
        """One stream, opened now; its playlist is another address, so that a playing ticket can be in it."""
        stream = wanted_stream(call.watched, call.query.get("stream"))
        guest = self._guest(call, stream)
        announced = await self._look(call, stream)
        sound = announced and call.query.get("audio") != "0" and self._may_hear(call)
        output = await self._open(call, stream, sound=sound)
        tracks, query = TRACKS[sound], ""
        if call.ticket:
            below = f"{PATH.replace('<camera_id>', call.watched.id)}{stream.name}/{tracks}/"
            ticket = self._services.auth.tickets.issue_playing(call.who, call.watched.id, below)
            query = f"?ticket={ticket.reveal()}"
        address = f"{quote(stream.name)}/{tracks}/live.m3u8{query}"
        body = "\n".join(["#EXTM3U", "#EXT-X-VERSION:9", _about(output), address, ""]).encode()
        guest.bytes_sent += len(body)
        return _answer(body, PLAYLIST)

    async def playlist(self, call: Call) -> Response:
        """The playlist, at once or when it has what was asked for (§6.2.5.2)."""
        number = call.number("_HLS_msn", 0, LARGEST)
        part = call.number("_HLS_part", 0, LARGEST)
        if part is not None and number is None:
            raise invalid("bad_parameter", "_HLS_part needs _HLS_msn.", field="_HLS_msn")
        stream, sound = wanted_stream(call.watched, call.path["stream"]), self._sound(call)
        guest = self._guest(call, stream)
        guest.sound = sound
        output = await self._open(call, stream, sound=sound)
        if number is not None:
            if output.playlist.is_beyond(number):
                raise invalid("bad_parameter", f"Segment {number} is too far in the future.", field="_HLS_msn")
            await output.wait(lambda: output.playlist.has(number, part), RELOAD_S)
            self._check_again(call)
        query = f"?ticket={quote(call.ticket)}" if call.ticket else ""
        body = output.playlist.text(query).encode()
        guest.bytes_sent += len(body)
        return _answer(body, PLAYLIST)

    async def piece(self, call: Call) -> Response:
        """Media.  The part that comes next may be asked for before it is there."""
        piece, stream = parse_name(call.path["piece"]), wanted_stream(call.watched, call.path["stream"])
        output = self._services.hls.find(stream, sound=self._sound(call))
        if piece is None or output is None:
            raise _gone()
        guest = self._guest(call, stream)
        if piece.kind == "part" and output.playlist.is_next(piece.number, piece.part):
            await output.wait(lambda: not output.playlist.is_next(piece.number, piece.part), RELOAD_S)
            self._check_again(call)
        data = _find(output, piece)
        if data is None:
            raise _gone()
        guest.bytes_sent += len(data)
        return _answer(data, "video/mp4")

    # --- inside ---------------------------------------------------------------------------------------------------

    async def _open(self, call: Call, stream: StreamConfig, *, sound: bool) -> HlsOutput:
        """The playlist, once there is something in it.  Raises `Fault`."""
        output = self._services.hls.find(stream, sound=sound)
        if output is None:
            await self._look(call, stream)
            output = await self._services.hls.open(call.watched, stream, sound=sound)
        await output.wait_ready(call.watched.name)
        self._check_again(call)
        return output

    async def _look(self, call: Call, stream: StreamConfig) -> bool:
        """Whether the camera announces sound.  Raises `Fault` where it sends nothing, or nothing for HLS."""
        with self._services.directory.lease(call.watched, stream) as hub:
            segment = await wait_beginning(hub, call.watched.name)
            if segment.video.codec == MJPEG:
                message = "The camera sends JPEG, which HLS has not."
                raise Fault(Kind.UNSUPPORTED, "unsupported_codec", message, "Take live.mjpeg.")
            return hub.announced_audio is not None

    def _sound(self, call: Call) -> bool:
        """Whether the address is that of the variant with sound.  Raises `Fault` where that may not be heard."""
        tracks = call.path["tracks"]
        if tracks not in TRACKS:
            raise problem.not_found()
        if tracks == TRACKS[True] and not self._may_hear(call):
            raise problem.no_right(Right.AUDIO)
        return tracks == TRACKS[True]

    def _may_hear(self, call: Call) -> bool:
        return self._services.rights.allows(call.who, Right.AUDIO, call.watched.id)

    def _guest(self, call: Call, stream: StreamConfig) -> Guest:
        """Who asks, as one of the audience.  Raises `Fault` where there are as many as there may be."""
        audience, key = self._services.audience, (call.who, call.address, stream.id)
        guest = audience.guest(key)
        if guest is None:
            check_cap(self._services, call.who)
            guest = audience.welcome(key, call.who)
        return guest

    def _check_again(self, call: Call) -> None:
        """Whether what the gate found still holds, for video as the camera sends it, after a wait.  Raises `Fault`."""
        session_id = call.who.session_id
        if session_id is not None and not self._services.sessions.is_open(session_id):
            raise problem.not_signed_in()
        if not self._services.rights.allows(call.who, Right.LIVE, call.watched.id):
            raise problem.no_camera()
        self._services.refuse_native(call.who, call.watched)


def _about(output: HlsOutput) -> str:
    """EXT-X-STREAM-INF (§4.4.6.2)."""
    form, measured = output.form, output.hub.measured
    assert form is not None
    bandwidth = USUAL_BANDWIDTH if measured.kbps is None else max(1000, round(PEAK * 1000 * measured.kbps))
    codecs = form.video.codec_string if form.audio is None else f"{form.video.codec_string},{form.audio.codec_string}"
    fps = "" if measured.fps is None else f",FRAME-RATE={measured.fps:.3f}"
    size = f"{form.video.width}x{form.video.height}"
    return f'#EXT-X-STREAM-INF:BANDWIDTH={bandwidth},CODECS="{codecs}",RESOLUTION={size}{fps}'


def _find(output: HlsOutput, piece: Piece) -> bytes | None:
    playlist = output.playlist
    if piece.kind == "init":
        return playlist.init(piece.number)
    if piece.kind == "seg":
        return playlist.segment(piece.number)
    return playlist.part(piece.number, piece.part)


def _answer(body: bytes, media_type: str) -> Response:
    return Response(body, content_type=media_type, headers={"Cache-Control": "no-store"})


def _gone() -> Fault:
    return Fault(Kind.NOT_FOUND, "no_piece", "This piece is not there, or no longer.", "Read the playlist again.")
