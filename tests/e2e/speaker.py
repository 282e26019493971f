"""What comes out of a browser's loudspeaker, and whether it is what the simulated cameras hear (`tests.peers.footage`).

Browsers of the machine play through ALSA, which reads in their home which sound card there is: `tests.e2e.sound_card`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.e2e import sound_card
from tests.e2e.sound_card import RATE

#: Louder than the hum between two ticks.
LOUD = 0.2
#: A tick, which comes once a second.
TICK_S, TICK_HZ = 0.05, 1000
#: So many, to be sure.
ENOUGH = 6
#: The pace may be another by a tenth while the picture catches up with the camera; and the machine may be busy.
EACH_S = (0.8, 1.25)
PIECE = RATE // 100
#: Of the time, at most so much is loud: four times what is sent.
LOUD_SHARE = 0.2

Samples = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Speaker:
    """The one of those programs that have this folder as their home."""

    home: Path

    def plug_in(self) -> None:
        card = f"{sys.executable} -IS {sound_card.__file__} {self.home}"
        assert not set(card) & set("%\"'|\\"), card
        (self.home / ".asoundrc").write_text(f"""\
pcm.!default {{
  type plug
  slave {{
    format S16_LE rate {RATE} channels 1
    pcm {{ type file format raw file "| exec {card}" slave.pcm {{ type null }} }}
  }}
}}
ctl.!default {{ type null }}
""")

    def played(self) -> set[Path]:
        """What has been played, each time that somebody opened the sound card."""
        return set(self.home.glob("played-*.raw"))


def samples(path: Path) -> Samples:
    data = path.read_bytes()
    return np.frombuffer(data[: len(data) // 2 * 2], "<i2") / 32_768


def ticks_on(path: Path) -> str | None:
    """None once there were ticks one behind the other, at their pace, of their pitch, quiet between them; else what
    there is.  Not at once: where the machine is busy, sound breaks off until the player has found its distance.
    """
    data = samples(path)
    loud = np.flatnonzero(np.abs(data) > LOUD)
    begins = loud[np.diff(loud, prepend=-RATE) > TICK_S * RATE]
    runs = [begins[n : n + ENOUGH] for n in range(len(begins) - ENOUGH + 1)]
    if any(is_ticking(data, run) for run in runs):
        return None
    return f"{len(data) / RATE:.1f} s, ticks at {(begins / RATE).round(2).tolist()}"


def is_ticking(data: Samples, begins: npt.NDArray[np.intp]) -> bool:
    each = float(np.median(np.diff(begins))) / RATE
    pitch = float(np.median([pitch_of(data[begin : begin + int(TICK_S * RATE)]) for begin in begins[:-1]]))
    whole = data[begins[0] : begins[-1]]
    pieces = np.abs(whole[: len(whole) // PIECE * PIECE]).reshape(-1, PIECE).max(axis=1)
    return (
        EACH_S[0] < each < EACH_S[1]
        and abs(pitch - TICK_HZ) < TICK_HZ / 20
        and float((pieces > LOUD).mean()) < LOUD_SHARE
    )


def pitch_of(data: Samples) -> float:
    """The frequency that there is most of."""
    spectrum = np.abs(np.fft.rfft(data * np.hanning(len(data)), RATE // 10))
    return float(np.argmax(spectrum)) * 10
