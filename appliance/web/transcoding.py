"""What is transcoded, for the status and the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import trio

from appliance.status.metrics import Series

if TYPE_CHECKING:
    from collections.abc import Iterable

    from appliance.settings.tabs import PerformanceTab
    from appliance.streams.transcoder import Transcoder
    from appliance.streams.transcoders import Transcoders


class RungView(msgspec.Struct):
    """One encoding.  ``fps`` None: every picture.  ``masked``: for users who may not see all of it.

    ``why``: how it came to be made of this stream, in words.
    """

    width: int
    height: int
    fps: float | None
    quality: int
    masked: bool
    viewers: int
    why: list[str]


class TranscoderView(msgspec.Struct):
    """One camera stream that is decoded.  Rates in pictures a second; the counters are those of this transcoder."""

    stream: str
    codec: str | None
    width: int
    height: int
    state: str
    reason: str | None
    key_frames_only: bool
    decoded_per_second: float
    encoded_per_second: float
    decoded: int
    encoded: int
    dropped: int
    damaged: int
    restarts: int
    rungs: list[RungView]


def transcoder_view(transcoder: Transcoder) -> TranscoderView:
    """For the status."""
    counters, segment = transcoder.counters, transcoder.hub.segment
    decoded, encoded = counters.per_second(trio.current_time())
    video = None if segment is None else segment.video
    return TranscoderView(
        stream=transcoder.hub.name,
        codec=None if video is None else video.codec,
        width=0 if video is None else video.width,
        height=0 if video is None else video.height,
        state=transcoder.state.state,
        reason=transcoder.state.reason,
        key_frames_only=transcoder.keys_only,
        decoded_per_second=round(decoded, 1),
        encoded_per_second=round(encoded, 1),
        decoded=counters.decoded,
        encoded=counters.encoded,
        dropped=transcoder.dropped,
        damaged=counters.damaged,
        restarts=counters.restarts,
        rungs=[
            RungView(
                rendition.rung.width,
                rendition.rung.height,
                rendition.rung.fps,
                rendition.rung.quality,
                bool(rendition.rung.mask),
                len(rendition.spectators),
                [str(why) for why in rendition.why],
            )
            for rendition in transcoder.renditions
        ],
    )


class HardwareView(msgspec.Struct):
    """Row STA-1.  ``state``: in_use, available (nothing needs it now), not_available, failed or off; ``kind`` of the
    device as libav calls it; ``why``, in English: why it is not in use."""

    state: str
    kind: str | None
    why: str


def hardware_view(transcoders: Transcoders, settings: PerformanceTab) -> HardwareView:
    """Whether hardware decodes, for the status."""
    kind, why = transcoders.crew.hardware
    used = next((each.counters.hardware for each in transcoders if each.counters.hardware), None)
    if used is not None:
        return HardwareView("in_use", used, "")
    if settings.hardware_decoding == "off":
        return HardwareView("off", None, "It is switched off: performance.hardware_decoding.")
    if kind is None:
        return HardwareView(
            "not_available", None, f"{why[:1].upper()}{why[1:]}." if why else "No worker has looked yet."
        )
    failure = transcoders.crew.hardware_failure
    if failure:
        return HardwareView("failed", kind, f"It failed, and software goes on: {failure}.")
    return HardwareView("available", kind, "Nothing is transcoded that it decodes.")


def transcoder_series(transcoders: Iterable[Transcoder]) -> list[Series]:
    """For Prometheus."""
    each = {(transcoder.hub.name,): transcoder for transcoder in transcoders}

    def counter(name: str, about: str, values: dict[tuple[str, ...], float]) -> Series:
        return Series(f"fanal_transcoder_{name}", about, values, ("stream",), is_counter=True)

    return [
        Series("fanal_transcoders", "Camera streams being decoded.", {(): len(each)}),
        Series(
            "fanal_rungs",
            "Encodings made of a decoded stream.",
            {n: len(t.renditions) for n, t in each.items()},
            ("stream",),
        ),
        counter("decoded", "Pictures decoded.", {n: t.counters.decoded for n, t in each.items()}),
        counter("encoded", "JPEG pictures made.", {n: t.counters.encoded for n, t in each.items()}),
        counter("dropped", "Pictures left out by a decoder that was behind.", {n: t.dropped for n, t in each.items()}),
        counter("damaged", "Units that did not decode.", {n: t.counters.damaged for n, t in each.items()}),
        counter("restarts", "Workers lost while they decoded it.", {n: t.counters.restarts for n, t in each.items()}),
    ]
