"""What a source is to the rest of the house: something that is opened and then gives units."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager

    from appliance.media.units import AudioFormat, Unit, VideoFormat


class Trouble(StrEnum):
    """Why a source gives nothing.  The values are the reasons of the live protocol (design §9)."""

    CONNECTING = "connecting"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    BAD_CREDENTIALS = "bad_credentials"
    NOT_FOUND = "not_found"
    UNSUPPORTED_CODEC = "unsupported_codec"
    LONG_GOP = "long_gop"  # it sends, and nothing yet that decoding can start with
    CAMERA_LOST = "camera_lost"  # it was there, and the connection broke or what it says is not the protocol


class SourceError(Exception):
    """A source failed.  ``message`` says how in a sentence, without secrets; ``hint`` what to do about it."""

    def __init__(self, trouble: Trouble, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.trouble = trouble
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


@dataclass(slots=True)
class SourceStatistics:
    """Counters since the source was opened; read by the status board, written by the source alone."""

    bytes_received: int = 0
    packets_received: int = 0
    packets_lost: int = 0
    units_dropped: int = 0  # access units thrown away because a part of them, or of their reference, was lost
    oddities: set[str] = field(default_factory=set)  # names out of sites.rtsp.oddities


class Source(Protocol):
    """An open source.  ``receive`` gives the next units in decoding order, one batch a wake-up, never empty.

    Raises `SourceError` when the source ends or breaks; it is then of no more use.  Losing packets is no error.
    """

    @property
    def video(self) -> VideoFormat | None:
        """As announced; None until the first parameter sets if those come in band only."""
        ...

    @property
    def audio(self) -> AudioFormat | None: ...

    @property
    def notes(self) -> Sequence[str]:
        """What was announced and is not used, in words ("audio: G.726 is not played yet")."""
        ...

    @property
    def statistics(self) -> SourceStatistics: ...

    async def receive(self) -> list[Unit]: ...


class Opener(Protocol):
    """Opens one stream of one camera; ``async with opener() as source``.  Raises `SourceError`."""

    def __call__(self) -> AbstractAsyncContextManager[Source]: ...
