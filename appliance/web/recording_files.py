"""``recording.mp4``, ``recording.mkv``, ``recording.avi``: recordings as files of exact length (design §6).

Nothing is written to the disk: each byte is made when it is asked for, so that a download can begin anywhere and go on
where it was interrupted.  Whether it is still allowed is asked while it runs.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import trio
from quart import Response, request

from appliance.auth.rights import Right
from appliance.base.clock import TICKS_PER_SECOND, local_time
from appliance.base.faults import Fault, invalid
from appliance.recorder.assembling import Assembler
from appliance.serve.downloads import MAKERS, Sending
from appliance.settings.tabs import RecordingTab
from appliance.streams.exports import Export, Exports, Wanted
from appliance.streams.news import Stopping
from appliance.web import problem
from appliance.web.parts import UnsatisfiableError, disposition, wanted_part
from appliance.web.recordings import recorded_stream
from appliance.web.security import HEADERS
from appliance.web.table import Parameter, Route, Video
from appliance.web.times import check_order

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services

log = logging.getLogger(__name__)

MEDIA_TYPES: Final = {"mp4": "video/mp4", "mkv": "video/x-matroska", "avi": "video/x-msvideo"}
LONGEST: Final = 24 * 3600 * TICKS_PER_SECOND
#: An answer of so many bytes goes the usual way, and its connection can be asked again: players read files in pieces.
SMALL: Final = 256 << 10
#: Whether a download is still allowed is asked at every news of it, and so often.
LOOK_S: Final = 1.0
#: What closes it where it is not, is not read by the client's program; the log has it.
GONE: Final = (trio.BrokenResourceError, trio.ClosedResourceError)


class RecordingFiles:
    """The routes of this module."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._exports = Exports(services.archive)
        self._readers = trio.CapacityLimiter(MAKERS)

    def add_to(self, gate: Gate) -> None:
        for form, media_type in MEDIA_TYPES.items():
            gate.add(
                Route(
                    f"recording_{form}",
                    "GET",
                    f"/api/v1/cameras/<camera_id>/recording.{form}",
                    Right.EXPORT,
                    self._of(form),
                    f"What was recorded, as a file: {form.upper()}, with Range",
                    camera="camera_id",
                    by_ticket=True,
                    media_type=media_type,
                    video=Video.NATIVE,
                    ranges=True,
                    query=(
                        Parameter("from", "string", "RFC 3339"),
                        Parameter("to", "string", "RFC 3339, at most a day later"),
                        Parameter("stream", "string", "main (if not given) or sub"),
                        Parameter("audio", "integer", "0: without sound"),
                    ),
                )
            )

    def _of(self, form: str) -> Callable[[Call], Awaitable[Response]]:
        async def file(call: Call) -> Response:
            return await self._file(form, call)

        return file

    async def _file(self, form: str, call: Call) -> Response:
        wanted = self._wanted(form, call)
        most = self._services.settings.tab(RecordingTab).exports_per_user
        async with self._exports.place(call.who.user_id, most):
            export = await self._exports.lay_out(wanted)
            download = Download(self._services, call, form, export)
            download.check()  # it may have taken a while
            return await download.answer(self._readers)

    def _wanted(self, form: str, call: Call) -> Wanted:
        start, end = call.moment("from"), call.moment("to")
        if start is None or end is None:
            name = "from" if start is None else "to"
            raise invalid("bad_parameter", f"{name}= is missing.", "Say from when to when, as RFC 3339.", field=name)
        check_order(start, end)
        if end - start > LONGEST:
            raise invalid("span_too_long", "That is more than a day.", "Ask for it in several parts.", field="to")
        stream = recorded_stream(call)
        camera_id = call.watched.id
        sound = call.query.get("audio") != "0" and self._services.rights.allows(call.who, Right.AUDIO, camera_id)
        return Wanted(form, camera_id, stream, start, end, sound)


@dataclass(eq=False)
class Download:
    """One answer with one file, or a part of it."""

    services: Services
    call: Call
    form: str
    export: Export

    def check(self) -> None:
        """Raises `Fault` where it is not allowed, or not any more."""
        services, who, camera_id = self.services, self.call.who, self.call.watched.id
        if who.session_id is not None and not services.sessions.is_open(who.session_id):
            raise problem.not_signed_in()
        camera = services.cameras.find(camera_id)
        if camera is None:
            raise problem.no_camera()
        for right in (Right.EXPORT, *([Right.AUDIO] if self.export.has_sound else [])):
            if not services.rights.allows(who, right, camera_id):
                raise problem.no_right(right)
        services.refuse_native(who, camera)

    async def answer(self, readers: trio.CapacityLimiter) -> Response:
        """What is asked for: of the whole, a part, or only the head."""
        length = self.export.virtual.length
        headers = {
            "Content-Type": MEDIA_TYPES[self.form],
            "Accept-Ranges": "bytes",
            "ETag": self.export.etag,
            "Content-Disposition": disposition(self._name()),
            "Cache-Control": "no-store",
        }
        try:
            part = wanted_part(request.headers, self.export.etag, length) if request.method == "GET" else None
        except UnsatisfiableError:
            fault = invalid("no_such_range", f"The file has {length} bytes.", "Ask for a part that it has.")
            response = problem.answer(fault, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            response.headers["Content-Range"] = f"bytes */{length}"
            return response
        start, end = part or (0, length)
        status = HTTPStatus.OK if part is None else HTTPStatus.PARTIAL_CONTENT
        headers["Content-Length"] = str(end - start)
        if part is not None:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{length}"
        if request.method == "HEAD":
            response = Response(b"", status=HTTPStatus.OK, headers=headers)
            response.headers["Content-Length"] = str(length)  # not that of the body, which is not sent
            return response
        with Assembler(self.export.virtual, self.export.paths) as content:
            if end - start <= SMALL:
                body = await trio.to_thread.run_sync(content.read, start, end, limiter=readers)
                self.check()
                return Response(bytes(body), status=status, headers=headers)
            return await self._send(content, start, end, head_of(status, headers), readers)

    async def _send(
        self, content: Assembler, start: int, end: int, head: bytes, readers: trio.CapacityLimiter
    ) -> Response:
        connection = self.call.connection
        sending = Sending(connection, content, start, end)
        await sending.prepare(readers)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch, nursery.cancel_scope)
                await sending.run(head, readers, self._count)
                nursery.cancel_scope.cancel()
        except* Fault as group:  # of a part that is gone: the client gets all before it
            self._say_why(_first(group).message)
            connection.finish()
        except* trio.TooSlowError:
            self._break_off("the client does not read it")
        except* GONE:
            pass  # nobody is there to get it
        else:
            connection.finish()
        return Response(b"")  # never sent: the connection is ours and closed

    async def _watch(self, sending: trio.CancelScope) -> None:
        """End the download once it is not allowed any more."""
        with self.services.news.listen() as listener:
            while True:
                news: object = None
                with trio.move_on_after(LOOK_S):
                    news = await listener.receive()
                self.services.keep_alive(self.call.session)
                why = "the server stops" if isinstance(news, Stopping) else self._refusal()
                if why:
                    self._break_off(why)
                    sending.cancel()
                    return

    def _refusal(self) -> str:
        try:
            self.check()
        except Fault as fault:
            return fault.message
        return ""

    def _break_off(self, why: str) -> None:
        self._say_why(why)
        self.call.connection.abort()

    def _say_why(self, why: str) -> None:
        log.info("the download of a recording of %s is broken off: %s", self.call.watched.name, why)

    def _count(self, sent: int) -> None:
        self.services.audience.bytes_of_the_gone += sent

    def _name(self) -> str:
        return f"{self.call.watched.name}_{local_time(self.export.start):%Y-%m-%d_%H-%M-%S}.{self.form}"


def head_of(status: HTTPStatus, headers: dict[str, str]) -> bytes:
    """The head of an answer that is written past the framework, and ends with its connection."""
    lines = [f"HTTP/1.1 {status.value} {status.phrase}"]
    lines += [f"{name}: {value}" for name, value in (headers | HEADERS | {"Connection": "close"}).items()]
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def _first(group: BaseExceptionGroup[Fault]) -> Fault:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, Fault)
    return found
