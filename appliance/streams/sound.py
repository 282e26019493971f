"""The sound that players do not take as it is (G.711), made into AAC: once a camera stream, for however many hear it.

Its task lives with the hub and sleeps until anybody wants to hear it.  Then it feeds a pipeline in a media worker, and
puts what comes back where the hub takes it from, until nobody hears it any more.  A worker that is lost is replaced;
meanwhile there is silence, as a browser would stop the picture where sound is missing.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

import trio

from appliance.base.clock import TICKS_PER_SECOND
from appliance.base.faults import Fault
from appliance.media.aac import AUDIO_RATE, FRAME, SILENCE, audio_format
from appliance.media.units import AudioUnit
from appliance.workers.crew import SeatLostError
from appliance.workers.wire import SoundHeard, SoundOpen, SoundPiece

if TYPE_CHECKING:
    from appliance.media.units import AudioFormat, Run
    from appliance.streams.hub import Hub
    from appliance.workers.crew import Crew, Seat

log = logging.getLogger(__name__)

#: What this is to a worker, in million samples of pictures a second.
LOAD = 0.2
#: Of sound that waits for the worker, not more than so much, in so many pieces, is kept.
WAITING, WAITING_LIMIT = TICKS_PER_SECOND, 256
#: Sound that has not come back from the worker by so much later is replaced by silence; where the camera left out more
#: than the second of these, nothing is put in.
LATE, LONGEST_GAP = TICKS_PER_SECOND * 2 // 5, 2 * TICKS_PER_SECOND
FRAME_TICKS = FRAME * TICKS_PER_SECOND // AUDIO_RATE
#: A worker gives no time that is further from the piece it belongs to.
ASTRAY = 5 * TICKS_PER_SECOND
#: So many workers lost to this sound, one after the other without any sound, and it is left alone for so long; also
#: where no worker can be started.
LOSSES, REST_S = 3, 5.0
#: Whether anybody hears it yet is looked at so often, where nothing comes.
LOOK_S = 1.0


class SoundTranscoder:
    """See the module.  `run` is its task."""

    def __init__(self, hub: Hub, crew: Crew) -> None:
        self._hub = hub
        self._crew = crew
        self._waiting: deque[AudioUnit] = deque(maxlen=WAITING_LIMIT)
        self._sent: deque[AudioUnit] = deque()  # what the worker has not answered yet
        self._format: AudioFormat | None = None  # of what is made
        self._run: Run | None = None  # of the last piece
        self._until = 0  # ticks: all of this run that is before was given
        self._losses = 0
        self._wake = trio.Event()

    async def run(self) -> None:
        """For as long as the hub lives; never raises for what a camera or a worker does."""
        while True:
            await self._hub.wait_heard()
            self._format = None
            with self._hub.ear(self._take):
                while self._hub.hearers:
                    await self._serve()
            self._waiting.clear()

    async def _serve(self) -> None:
        """In one worker, while anybody hears it."""
        if not self._waiting:
            await self._news()
            return
        try:
            async with self._crew.seat(LOAD, self._tell, at_once=self._format is not None) as seat:
                self._hub.sound_worker = seat.pid
                await self._feed(seat)
        except SeatLostError as error:
            log.warning("%s: the sound goes on in another worker: %s", self._hub.name, error)
            self._losses += error.blamed
            if self._losses >= LOSSES:
                await self._rest()
        except Fault as fault:
            log.warning("%s: no sound: %s", self._hub.name, fault)
            await self._rest()
        except Exception:  # of one stream: its picture, and the others, go on
            log.exception("%s: no sound", self._hub.name)
            await self._rest()
        finally:
            self._sent.clear()
            self._hub.sound_worker = None

    async def _rest(self) -> None:
        self._losses = 0
        await trio.sleep(REST_S)

    async def _feed(self, seat: Seat) -> None:
        """Until nobody hears it, or it is coded in another way.  Raises `SeatLostError`."""
        source = self._waiting[0].format
        seat.open_sound(SoundOpen(source.codec, source.sample_rate, source.channels))
        while self._hub.hearers:
            for answer in seat.answers():
                unit = self._sent.popleft()
                if isinstance(answer, SoundHeard):
                    self._give(answer, unit)
            while self._waiting and seat.has_credit:
                if self._waiting[0].format != source:
                    return
                unit = self._waiting.popleft()
                self._sent.append(unit)
                seat.hear(SoundPiece(unit.data, unit.pts))
            await self._news()

    def _take(self, unit: AudioUnit) -> None:
        """The hub has another piece."""
        if unit.run is not self._run:  # the clock may have been set back: times before the last one's are new ones
            self._run, self._until = unit.run, 0
        self._waiting.append(unit)
        while unit.pts - self._waiting[0].pts > WAITING:
            self._waiting.popleft()
        if self._format is not None:
            self._fill(unit, self._format)
        self._tell()

    def _fill(self, unit: AudioUnit, form: AudioFormat) -> None:
        """Silence in place of what the worker still owes: players stop the picture where sound is missing."""
        if unit.pts - self._until > LONGEST_GAP:
            self._until = unit.pts - LATE
        if unit.pts - self._until <= LATE:
            return
        while unit.pts - self._until > LATE // 2:
            self._put(AudioUnit(SILENCE[form.channels], self._until, FRAME_TICKS, form, unit.run))

    def _give(self, heard: SoundHeard, unit: AudioUnit) -> None:
        """Sound came back, for ``unit`` among others."""
        if not heard.frames or unit.run is not self._run:
            return
        if self._format is None or self._format.configuration != heard.config:
            self._format = audio_format(heard.config)
        self._losses = 0
        for data, pts in heard.frames:
            # a little overlap is the slewing of the timeline; more was given before, as silence
            if pts >= self._until - FRAME_TICKS // 2 and abs(pts - unit.pts) <= ASTRAY:
                self._put(AudioUnit(data, pts, FRAME_TICKS, self._format, unit.run))

    def _put(self, unit: AudioUnit) -> None:
        self._hub.made_sound.append(unit)
        self._until = unit.pts + FRAME_TICKS

    def _tell(self) -> None:
        self._wake.set()

    async def _news(self) -> None:
        with trio.move_on_after(LOOK_S):
            await self._wake.wait()
        self._wake = trio.Event()
