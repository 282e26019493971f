"""One client's end of the fan-out: what its socket does not take waits, and the client goes on when it can.

Quart routes, checks and shakes hands; from then on media is written here, straight to the connection.  What the socket
does not take waits, bounded in bytes and in age (`appliance.serve.backlog`): full, all that has not begun is forgotten,
and the client goes on at the next IDR picture and is told how much it missed.  Of pictures that stand alone (JPEG) only
the newest waits, until what was written before arrives in time (`appliance.serve.pacing`); the sound that belongs to
them goes between them (`appliance.serve.beside`).
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

import trio

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.picture import Picture
from appliance.serve.backlog import Backlog, Item
from appliance.serve.beside import Beside
from appliance.serve.pacing import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from appliance._native.fanout import Port
    from appliance.media.fmp4 import Fragment
    from appliance.serve.pacing import Way
    from appliance.serve.send_lock import SendLock

    Medium = Fragment | Picture

#: A reader that takes nothing for so long is gone, or might as well be.
STUCK_S = 10.0
#: Written at once at most, so that progress is seen; of pictures, whose progress is followed closely.
PIECE, PICTURE_PIECE = 64 << 10, 8 << 10
#: A picture that waits until others have arrived is looked after so often: the kernel does not tell.
WATCH_S = 0.02
#: A client that gets fewer pictures than there are is told so at most so often, with the sum.
TELL_TICKS = TICKS_PER_SECOND
# How far a client has come: what leads an IDR picture is of use to who had what was before it.
NOWHERE, STARTED, GOES_ON = range(3)


class Form(Enum):
    """How media goes out: as WebSocket messages; without their framing, in the body of an answer; as the parts of a
    multipart body (pictures)."""

    MESSAGE = "message"
    BODY = "body"
    PART = "part"


class Lane(Protocol):
    """What an outlet needs of its connection (`appliance.serve.connection.Connection`)."""

    send_lock: SendLock
    port: Port

    def try_send(self, data: bytes | memoryview) -> int: ...

    @property
    def has_pending(self) -> bool: ...

    async def send_all(self, data: bytes | memoryview) -> None: ...

    async def flush(self) -> None: ...

    def abort(self) -> None: ...

    def unsent(self) -> int:
        """Bytes that the client's side has not acknowledged."""
        ...

    def way(self) -> Way | None:
        """What is known of the network to the client."""
        ...


class Seen(NamedTuple):
    """How a client keeps up: see `appliance.media.rate_control.Sight`.  Counters only grow."""

    lag_s: float
    made: int
    left_out: int
    acknowledged: int


class ReaderStuckError(Exception):
    """The client took nothing for `STUCK_S`."""


class Outlet:
    """One client's end of the fan-out.

    ``offer`` and ``control`` are synchronous and never block; ``run`` belongs into a task of the client's own and
    writes what they could not.  Nobody else writes to the connection meanwhile, except under its ``send_lock``.
    ``form``: what the client gets.
    ``missed(seconds)`` makes the message that tells of a gap.
    """

    __slots__ = (
        "_backlog", "_beside", "_come", "_framed", "_in_parts", "_lane", "_missed", "_missing_since", "_parked",
        "_rest", "_shows", "_skipped", "_squeezed", "_stopping", "_told_at", "_writing_since", "fragments_dropped",
        "gaps", "left_out", "pace", "port", "stirs",
    )  # fmt: skip

    def __init__(
        self, lane: Lane, *, form: Form = Form.MESSAGE, missed: Callable[[float], bytes] | None = None
    ) -> None:
        self._lane = lane
        self._framed, self._in_parts = form is Form.MESSAGE, form is Form.PART
        self._missed = missed
        self._backlog = Backlog()
        self._shows = False  # pictures that stand alone: sound is sent beside them
        self._beside = Beside()  # that sound
        self._rest: memoryview | None = None  # of a message that the socket took in part
        self._come = NOWHERE
        self._missing_since: int | None = None  # DTS of the first fragment dropped; None: nothing is missing
        self._skipped = 0  # ticks of pictures that newer ones took the place of, and the client was not told of
        self._told_at: int | None = None  # when it was last told, in the stream's time
        self._parked = trio.lowlevel.ParkingLot()
        self._squeezed = trio.lowlevel.ParkingLot()  # who waits for `room`
        self._stopping = False
        self._writing_since: float | None = None  # when a picture came that stands alone and is written in part
        self.pace = Pace(lane)
        self.port = lane.port
        self.port.flows = self.port.hears = False
        self.port.sent_bytes = self.port.sent_messages = 0
        self.fragments_dropped = 0
        self.left_out = 0  # of those dropped: because this client was too slow
        self.stirs: Callable[[], object] = lambda: None  # called when something waits, or a picture is on its way
        self.gaps = 0  # how often this client was too slow for all that was offered

    @property
    def audio(self) -> bool:
        """Whether sound is sent too."""
        return self.port.hears

    @audio.setter
    def audio(self, hears: bool) -> None:
        self.port.hears = hears

    @property
    def bytes_sent(self) -> int:
        """All that the connection took."""
        return self.port.sent_bytes

    @property
    def fragments_sent(self) -> int:
        """How many fragments and pictures it took, or begins to."""
        return self.port.sent_messages

    def control(self, message: bytes) -> None:
        """Send a message in its turn; it is never dropped."""
        if not self._stopping:
            self._put(Item(message, 0, None))

    def begin(self, announcement: Iterable[bytes], burst: Iterable[Medium]) -> None:
        """A stream begins: what waits of an earlier one is forgotten, then come the announcement and the burst.

        Its announcement too: else a client that changes its mind faster than it reads would fill our memory.

        The burst (everything since the last IDR picture) does not count against the bound.
        """
        self.forget()
        self._backlog.forget(lambda item: item.announces)
        self._missing_since = None
        self._skipped, self._told_at = 0, None
        self._come = NOWHERE
        self._shows = self.port.flows = False
        if self._stopping:
            return
        for message in announcement:
            self._put(Item(message, 0, None, announces=True))
        for fragment in burst:
            if self.audio or not fragment.is_audio:
                self._put(self._item(fragment, cost=0))
            if not fragment.is_audio:
                self._come = STARTED
                self._shows = isinstance(fragment, Picture)

    def forget(self) -> None:
        """Send nothing of the media that wait; what the socket took a part of is finished."""
        self.fragments_dropped += self._backlog.forget(lambda item: item.dts is not None)
        self._beside.clear()

    def silence(self) -> None:
        """Send no sound any more, nor any that waits; what the socket took a part of is finished."""
        self.audio = False
        self._beside.clear()
        self.fragments_dropped += self._backlog.forget(lambda item: item.is_audio)

    def offer(self, fragment: Medium) -> None:
        """Send a fragment if this client can take it, else let it wait, else drop up to the next IDR picture."""
        if self._stopping or (fragment.is_audio and not self.audio):
            return
        if isinstance(fragment, Picture):
            self._offer_picture(fragment)
            return
        if self._shows and fragment.is_audio:
            self._offer_sound(fragment)
            return
        if self._missing_since is not None:
            if fragment.is_audio or not fragment.is_idr:
                self._leave_out(1)
                return
            self._resume(fragment.dts)
        elif self._backlog.is_full_for(fragment) and not self._skip_to_queued_idr(fragment):
            self._drop(fragment)
            if fragment.is_audio or not fragment.is_idr:
                self._leave_out(1)
                return
            self._resume(fragment.dts)
        if fragment.leading and self._come != GOES_ON:
            return
        data = self._formed(fragment)
        if not self._backlog and self._rest is None:
            taken = self._try(data)
            if taken:
                self._took(fragment, data, taken)
                return
        self._has_come(fragment)
        self._put(self._item(fragment, cost=len(data)))

    def _offer_picture(self, picture: Picture) -> None:
        """The newest waits, and nothing else of its kind."""
        self.pace.comes(picture)
        data = self._formed(picture)
        if not self._backlog and self._rest is None and self._may_begin():
            taken = self._try(data)
            if taken:
                self._took(picture, data, taken)
                return
        waiting = self._backlog.picture
        if waiting is not None and waiting.dts is not None:
            self._backlog.remove(waiting)
            self._leave_out(1)
            self.gaps += 1
            self._skipped += max(0, picture.dts - waiting.dts)
            self._tell_skipped(picture.dts)
        self._put(self._item(picture, cost=len(data)))

    def _offer_sound(self, fragment: Fragment) -> None:
        """Beside pictures.  It counts as none of them, and no picture waits for it or gives way to it."""
        data = self._formed(fragment)
        is_next = self._rest is None and self._beside.next is None
        taken = self._try(data) if is_next and self._sound_may_go(fragment.dts) else 0
        if not taken:
            self._beside.put(fragment, data)
            self._wake()
            return
        self._beside.goes(fragment.dts, self.bytes_sent + len(data))
        self.port.sent_bytes += taken
        if taken < len(data):
            self._rest = memoryview(data)[taken:]
            self._wake()

    def _sound_may_go(self, dts: int | None) -> bool:
        """Whether sound of this time, if there is any, may go before what waits: a picture, not what announces it."""
        if dts is None or (self._backlog and self._backlog.first.picture_at is None):
            return False
        return self._beside.may_go(dts, self._acknowledged, self._way_s)

    def _acknowledged(self) -> int:
        try:
            return self.bytes_sent - self._lane.unsent()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return self.bytes_sent  # whoever writes next finds out

    def _way_s(self) -> float:
        way = self._lane.way()
        return 0.0 if way is None else way.least_round_trip_s

    def _tell_skipped(self, now: int) -> None:
        if self._missed is None or (self._told_at is not None and now - self._told_at < TELL_TICKS):
            return
        self._put(Item(self._missed(self._skipped / TICKS_PER_SECOND), 0, None))
        self._skipped, self._told_at = 0, now

    def sent(self, fragment: Medium, taken: int) -> None:
        """So many bytes of the fragment's message were written to the port; negative: it was not tried, or failed."""
        if taken <= 0:
            self.offer(fragment)  # which waits, or finds out what is wrong
            return
        self._took(fragment, fragment.message, taken)
        if self._lane.has_pending:
            self._wake()

    def _took(self, fragment: Medium, data: bytes | memoryview, taken: int) -> None:
        """The socket took so many bytes of a fragment; the rest goes before all else."""
        self.port.sent_bytes += taken
        self.port.sent_messages += 1
        if isinstance(fragment, Picture):
            now = trio.current_time()
            self.pace.begin(now)
            self.pace.wrote(now, self.bytes_sent, whole=taken == len(data))
            self._writing_since = now if taken < len(data) else None
            self.stirs()
        if taken < len(data):
            self._rest = memoryview(data)[taken:]
            self._wake()
        self._has_come(fragment)
        free = self._rest is None and not self._backlog and not self._stopping
        self.port.flows = self._framed and free and not self._shows  # beside pictures sound is counted in another way

    def _may_begin(self) -> bool:
        return self.pace.may_begin(trio.current_time(), self.bytes_sent)

    def _has_come(self, fragment: Medium) -> None:
        """The client has this fragment, or will have it."""
        if fragment.is_idr and not fragment.is_audio:
            self._come = STARTED if self._come == NOWHERE else GOES_ON

    @property
    def queued(self) -> int:
        """Bytes that wait and count."""
        return self._backlog.cost

    @property
    def lag_s(self) -> float:
        """How far back in the stream's own time what waits reaches, a burst too."""
        return self._backlog.lag_ticks / TICKS_PER_SECOND

    def look(self, now: float) -> Seen:
        """How the client keeps up; two system calls."""
        acknowledged = self.pace.acknowledged(now, self.bytes_sent)
        since = self._backlog.picture_since if self._writing_since is None else self._writing_since
        lag_s = max(self.lag_s, 0.0 if since is None else now - since, self.pace.overdue_s(now))
        made = self.fragments_sent + self.fragments_dropped + self._backlog.fragments
        return Seen(lag_s, made, self.left_out, acknowledged)

    def way(self) -> Way | None:
        """What is known of the network to the client."""
        return self._lane.way()

    def is_at_rest(self, now: float) -> bool:
        """Whether nothing waits, and all pictures have arrived; one system call at most."""
        if self.behind:
            return False
        if self.pace.is_on_the_way:
            self.pace.acknowledged(now, self.bytes_sent)
        return not self.pace.is_on_the_way

    @property
    def behind(self) -> bool:
        """Whether anything waits at all."""
        return bool(self._backlog) or self._rest is not None or self._beside.next is not None

    async def room(self) -> None:
        """Wait until nothing waits: for who makes what is sent as fast as it is taken, and loses nothing of it."""
        if not self.behind:
            await trio.lowlevel.checkpoint()
        while self.behind:
            await self._squeezed.park()

    def stop(self) -> None:
        """Send nothing more than what has begun; `run` then returns."""
        self._stopping = True
        self.port.flows = False
        self._backlog.clear()
        self._beside.clear()
        self._parked.unpark()

    async def run(self) -> None:
        """Write what waits, until `stop`.

        Raises `ReaderStuckError`, and trio.BrokenResourceError or ClosedResourceError when the client is gone.
        Cancelled in the middle of a message it closes the connection: half a message cannot be taken back.
        """
        while True:
            if not self.behind:
                self._squeezed.unpark_all()
            if not self.behind and not self._lane.has_pending:
                if self._stopping:
                    return
                await self._parked.park()
                continue
            if self._waits_for_others():
                await trio.sleep(WATCH_S)
                continue
            # Given back after each message: pongs have to get through to a client that is always behind.
            async with self._lane.send_lock:
                await self._write_one()

    def _waits_for_others(self) -> bool:
        """Whether what is next is a picture that may not be begun yet, or sound that the network would not carry."""
        if self._rest is not None or self._lane.has_pending or self._sound_may_go(self._beside.next):
            return False
        if not self._backlog:
            return self._beside.next is not None
        return self._backlog.first.picture_at is not None and not self._may_begin()

    async def _write_one(self) -> None:
        try:
            if self._lane.has_pending:
                with trio.fail_after(STUCK_S):
                    await self._lane.flush()
            if self._rest is None and self._sound_may_go(self._beside.next):
                dts, data = self._beside.take()
                self._beside.goes(dts, self.bytes_sent + len(data))
                self._rest = memoryview(data)
            elif self._rest is None:
                if not self._backlog:
                    return
                item = self._backlog.pop()
                self._rest = memoryview(item.data)
                self.port.sent_messages += item.is_fragment
                self._writing_since = item.picture_at
                if item.picture_at is not None:
                    self.pace.begin(trio.current_time())
            while self._rest:
                is_picture = self._writing_since is not None
                piece = self._rest[: PICTURE_PIECE if is_picture else PIECE]
                with trio.fail_after(STUCK_S):
                    await self._lane.send_all(piece)
                self.port.sent_bytes += len(piece)
                self._rest = self._rest[len(piece) :]
                if is_picture:
                    self.pace.wrote(trio.current_time(), self.bytes_sent, whole=not self._rest)
            self._rest = self._writing_since = None
        except trio.TooSlowError:
            self._lane.abort()
            raise ReaderStuckError from None
        except trio.Cancelled:
            self._lane.abort()
            raise

    def _item(self, fragment: Medium, cost: int) -> Item:
        is_idr = fragment.is_idr and not fragment.is_audio
        return Item(
            self._formed(fragment),
            cost,
            fragment.dts,
            is_fragment=True,
            is_idr=is_idr,
            leading=fragment.leading,
            is_audio=fragment.is_audio,
            picture_at=trio.current_time() if isinstance(fragment, Picture) else None,
        )

    def _formed(self, fragment: Medium) -> bytes | memoryview:
        if self._framed:
            return fragment.message
        if self._in_parts and isinstance(fragment, Picture):
            return fragment.part
        return fragment.body

    def _try(self, data: bytes | memoryview) -> int:
        try:
            taken = self._lane.try_send(data)
        except (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            return 0  # the client's own task, when it writes, finds out and ends
        if taken and self._lane.has_pending:
            self._wake()
        return taken

    def _wake(self) -> None:
        """Something waits, for `run`."""
        self._parked.unpark()
        self.stirs()

    def _put(self, item: Item) -> None:
        self.port.flows = False
        self._backlog.put(item)
        self._wake()

    def _skip_to_queued_idr(self, fragment: Fragment) -> bool:
        """Drop only what waits before the last IDR picture in the queue; False where that is not enough."""
        parts = self._backlog.split_at_last_idr()
        if parts is None:
            return False
        dropped, kept = parts
        first = kept[0].dts
        self._missing_since = min(fragment.dts, *(item.dts for item in dropped if item.dts is not None))
        assert first is not None
        self._resume(first)
        for item in kept:
            if not item.leading:
                self._backlog.put(item)
        self._come = STARTED
        self._leave_out(sum(item.is_fragment for item in dropped))
        return not self._backlog.is_full_for(fragment)

    def _drop(self, fragment: Fragment) -> None:
        self._missing_since = self._backlog.oldest(fragment)
        self.left_out += self._backlog.fragments
        self.forget()

    def _leave_out(self, count: int) -> None:
        self.fragments_dropped += count
        self.left_out += count

    def _resume(self, dts: int) -> None:
        assert self._missing_since is not None
        since, self._missing_since = self._missing_since, None
        self._come = NOWHERE
        self.port.flows = False
        self.gaps += 1
        if self._missed is not None:
            # It goes with the pictures that follow: dropped together with them, the next word covers both gaps.
            seconds = max(0, dts - since) / TICKS_PER_SECOND
            self._put(Item(self._missed(seconds), 0, since))
