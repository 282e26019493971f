"""What the native kernels take for a picture, beside their plain Python twins and PyAV where it does the same."""

from __future__ import annotations

import io
import statistics
import time
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
from av.bitstream import BitStreamFilterContext

from appliance._native import fmp4, gop, nal, rtp
from bench.common.cli import Options, say, script
from bench.common.footage import footage
from bench.common.report import Section
from bench.scaling import measure_scaling
from tests.reference import fmp4 as plain_fmp4
from tests.reference import gop as plain_gop
from tests.reference import nal as plain_nal
from tests.reference import rtp as plain_rtp
from tests.reference.packets import interleaved, packetize

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.common.footage import Footage

DURATION = 3600  # ticks of a picture
TIME_BASE = Fraction(1, 90_000)
PAYLOAD_TYPE = 96
#: A kernel that is no faster than what it replaces has no reason to be.
TARGET = 1.0


def measure(options: Options) -> Section:
    """Each kernel, its twin and PyAV over the same pictures, in turn."""
    film = footage()
    section = Section(
        "kernels",
        "Fragments and scans",
        f"CPU of one thread over the {len(film.pictures)} pictures of the footage (20 KB each, 15 RTP packets) from "
        "memory, each candidate in turn; the ratios are medians over rounds. Before anything is timed, kernel and twin "
        "must give the same. PyAV where it does the same work: its fragmented MP4 muxer (a fragment a picture), its "
        "H.264 parser (which finds NAL units, pictures and key frames), its filter `h264_mp4toannexb`; bytes are made "
        "packets for it each time. What it does with RTP is in the section on ingest.",
    )
    table = section.table("kernel", "native µs/picture", "plain Python µs/picture", "PyAV µs/picture")
    for title, kernel, twin, pyav in _candidates(film):
        say(f"kernels: {title}")
        if kernel() != twin():
            raise RuntimeError(f"{title}: the kernel and its twin disagree")
        times: dict[str, list[float]] = {"native": [], "plain": [], "pyav": []}
        for _ in range(options.count(7, 3)):
            for who, run in (("native", kernel), ("plain", twin), ("pyav", pyav)):
                if run is not None:
                    times[who].append(_us(run, len(film.pictures), options.pick(0.2, 0.02)))
        for who, name in (("plain", "its twin"), ("pyav", "PyAV")):
            if times[who]:
                ratios = [ours / theirs for ours, theirs in zip(times["native"], times[who], strict=True)]
                section.find(f"{title}: CPU over {name}'s", ratios, "×", target=TARGET)
        table.add(title, *(statistics.median(each) if each else "–" for each in times.values()))
    measure_scaling(section, options, film)
    return section


def _us(run: Callable[[], Any], pictures: int, at_least_s: float) -> float:
    """Microseconds of CPU for a picture."""
    began, count = time.thread_time(), 0
    while (taken := time.thread_time() - began) < at_least_s or not count:
        run()
        count += 1
    return taken / count / pictures * 1e6


def _candidates(film: Footage) -> list[tuple[str, Callable[[], Any], Callable[[], Any], Callable[[], Any] | None]]:
    units = film.access_units
    annexb = [b"".join(b"\0\0\0\1" + unit for unit in picture) for picture in film.pictures]
    avcc = [data for data, _ in units]
    stream = b"".join(interleaved(0, packet) for packet in packetize(film.pictures, payload_type=PAYLOAD_TYPE))

    def fragments(module: Any) -> Callable[[], Any]:
        return lambda: [
            module.fragment(b"head", data, 1, n, n * DURATION, DURATION, 0, is_idr)
            for n, (data, is_idr) in enumerate(units, 1)
        ]

    return [
        ("fragment (`fmp4.fragment`)", fragments(fmp4), fragments(plain_fmp4), _pyav_muxer(film)),
        (
            "Annex B to lengths (`nal.annexb_to_avcc`)",
            lambda: [nal.annexb_to_avcc(data) for data in annexb],
            lambda: [plain_nal.annexb_to_avcc(data) for data in annexb],
            _pyav_parser(film),
        ),
        (
            "lengths to Annex B (`nal.avcc_to_annexb`)",
            lambda: [nal.avcc_to_annexb(data) for data in avcc],
            lambda: [plain_nal.avcc_to_annexb(data) for data in avcc],
            _pyav_filter(film),
        ),
        (
            "what a picture is (`gop.describe`)",
            lambda: [gop.describe(data) for data in avcc],
            lambda: [plain_gop.describe(data) for data in avcc],
            _pyav_parser(film),
        ),
        ("RTP to pictures (`rtp`)", lambda: _depacketize(rtp, stream), lambda: _depacketize(plain_rtp, stream), None),
    ]


def _depacketize(module: Any, stream: bytes) -> list[Any]:
    """As a driver does it: spans of interleaved packets out of what a read gave, each pushed in."""
    push = module.H264Depacketizer(PAYLOAD_TYPE).push
    found, offset, status = [], 0, module.FULL
    while status == module.FULL:
        spans, offset, status = module.scan_interleaved(stream, offset)
        for _, start, end in spans:
            units = push(stream, start, end)
            if units is not None:
                found += units
    return found


def _pyav_muxer(film: Footage) -> Callable[[], Any]:
    container, coded = _packets(film)
    source = container.streams.video[0]

    def mux() -> bytes:
        target = io.BytesIO()
        flags = {"movflags": "empty_moov+default_base_moof+frag_every_frame"}
        with av.open(target, "w", format="mp4", options=flags) as out:
            stream = out.add_stream_from_template(source)
            for n, (data, is_key) in enumerate(coded):
                packet = av.Packet(data)
                packet.stream, packet.time_base, packet.is_keyframe = stream, TIME_BASE, is_key
                packet.pts = packet.dts = n * DURATION
                out.mux_one(packet)
        return target.getvalue()

    _expect(mux().count(b"moof"), len(coded))
    return mux


def _pyav_filter(film: Footage) -> Callable[[], Any]:
    container, coded = _packets(film)
    source = container.streams.video[0]

    def convert() -> list[Any]:
        filtering = BitStreamFilterContext("h264_mp4toannexb", source)
        return [made for data, _ in coded for made in filtering.filter(av.Packet(data))]

    _expect(sum(made.size > 0 for made in convert()), len(coded))
    return convert


def _pyav_parser(film: Footage) -> Callable[[], Any]:
    raw = film.path.read_bytes()

    def parse() -> list[Any]:
        parser = av.CodecContext.create("h264", "r")
        return [*parser.parse(raw), *parser.parse(None)]

    _expect(len(parse()), len(film.pictures))
    return parse


def _packets(film: Footage) -> tuple[Any, list[tuple[bytes, bool]]]:
    """The open file, which has to stay, and its pictures."""
    container = av.open(str(film.mp4))
    return container, [(bytes(packet), packet.is_keyframe) for packet in container.demux() if packet.size]


def _expect(found: int, wanted: int) -> None:
    """PyAV must have done what it is timed for."""
    if found != wanted:
        raise RuntimeError(f"PyAV made {found} of {wanted} pictures")


if __name__ == "__main__":
    script(measure, __doc__)
