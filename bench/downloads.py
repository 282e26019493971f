"""Recordings as files: how soon they begin, and how fast they come, beside nginx and ffmpeg."""

from __future__ import annotations

import http.client
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from appliance.base.clock import TICKS_PER_SECOND, to_rfc3339
from appliance.media import aac
from appliance.media.fmp4 import Muxer, init_segment
from appliance.media.h264 import video_format
from appliance.media.units import AccessUnit, AudioFormat, AudioUnit, Run
from appliance.recorder.database import NAME, Database
from appliance.recorder.files import FOLDER, MAIN, RecordedFile, path_of
from appliance.recorder.index import Index
from appliance.recorder.reading import read_recording
from bench.common.appliance import running_appliance
from bench.common.cli import Options, say, script
from bench.common.footage import FPS, footage
from bench.common.measure import tree_cpu_s
from bench.common.report import Section
from bench.peers.nginx import NoNginxError, running_nginx

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.common.appliance import Server

BEGIN_TARGET_MS = 200
NGINX_TARGET = 0.3
FFMPEG_TARGET = 1.0
END_BYTES = 65_536
#: Of which a minute is a whole number of pieces, as if the files were one recording.
SOUND_RATE = 32_000
MINUTE = 60 * TICKS_PER_SECOND
#: Nobody answers there: what is measured is recorded already.
CAMERA = "rtsp://127.0.0.1:9/"


@dataclass(frozen=True)
class Fetched:
    """One answer; times in seconds."""

    size: int
    first_byte_s: float
    whole_s: float
    cpu_s: float  # of who served


def measure(options: Options) -> Section:
    """An hour (quick: ten minutes) of MP4 and MKV; the end of three hours of AVI."""
    minutes, rounds = options.count(60, 10), options.count(5, 2)
    section = Section(
        "downloads",
        "Recordings as files",
        f"Recorded: files of a minute, 4 Mbit/s and sound ({SOUND_RATE // 1000} kHz AAC), in the page cache, as are "
        f"nginx's. *First byte*: from `connect` to the first byte of the body, plain, of {minutes} minutes of MP4 that "
        "nobody has asked for before. *Last 64 KB*: the same for the end of three hours of AVI, to its last byte. "
        f"*Against nginx*: {minutes} minutes of MP4 to curl, which throws them away, wall clock; the same file from "
        "nginx with `sendfile`, in turns. *Against ffmpeg*: CPU of `ffmpeg -c copy` from the recorded files into the "
        "same form (into a pipe), over the appliance's for the whole answer; above 1 the appliance takes less.",
    )
    say(f"downloads: {minutes} minutes")
    with running_appliance([CAMERA]) as server, tempfile.TemporaryDirectory(prefix="fanal-bench-") as folder:
        start, paths = _record(server, 180, minutes)
        end = start + minutes * MINUTE
        firsts = [_begin(server, "mp4", start + n * TICKS_PER_SECOND, end) for n in range(1, rounds * 2 + 1)]
        section.find(
            f"first byte of {minutes} minutes of MP4: most", max(firsts) * 1000, "ms", target=BEGIN_TARGET_MS,
            spread=(min(firsts) * 1000, max(firsts) * 1000),
        )  # fmt: skip
        lasts = [_end(server, start + n * TICKS_PER_SECOND, start + 180 * MINUTE) for n in range(1, rounds + 1)]
        section.find(
            "last 64 KB of three hours of AVI: most", max(lasts) * 1000, "ms", target=BEGIN_TARGET_MS,
            spread=(min(lasts) * 1000, max(lasts) * 1000),
        )  # fmt: skip
        _against_nginx(section, server, _path(server, "mp4", start, end), Path(folder), rounds)
        for form, muxer in (("mp4", "mp4"), ("mkv", "matroska")):
            _against_ffmpeg(section, server, form, muxer, (start, end), paths[:minutes], rounds)
        section.notes.append(f"On the disk of the appliance nothing was written: {_written(server)} files beside it.")
    return section


def _against_nginx(section: Section, server: Server, path: str, folder: Path, rounds: int) -> None:
    url = f"http://127.0.0.1:{server.port}{path}"
    _curl(url, server, output=folder / "whole.mp4")
    try:
        with running_nginx(folder) as port:
            theirs_url = f"http://127.0.0.1:{port}/whole.mp4"
            table = section.table("round", "bytes", "appliance s", "nginx s", "appliance MB/s", "nginx MB/s")
            ratios = []
            _curl(theirs_url)
            for n in range(rounds):
                ours, theirs = _curl(url, server), _curl(theirs_url)
                assert ours.size == theirs.size, (ours, theirs)
                ratios.append(theirs.whole_s / ours.whole_s)
                speeds = [each.size / each.whole_s / 1e6 for each in (ours, theirs)]
                table.add(str(n + 1), str(ours.size), ours.whole_s, theirs.whole_s, *speeds)
            section.find("throughput against nginx", ratios, "", target=NGINX_TARGET, at_least=True)
    except NoNginxError as missing:
        section.notes.append(str(missing))


def _against_ffmpeg(
    section: Section, server: Server, form: str, muxer: str, span: tuple[int, int], paths: list[Path], rounds: int
) -> None:
    url = f"http://127.0.0.1:{server.port}{_path(server, form, *span)}"
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
        listed.write("".join(f"file '{path}'\n" for path in paths))
        listed.flush()
        more = ["-movflags", "frag_keyframe+empty_moov"] if muxer == "mp4" else []
        command = ["ffmpeg", "-v", "error", "-f", "concat", "-safe", "0", "-i", listed.name, "-map", "0", "-c", "copy",
                   *more, "-f", muxer, "pipe:1"]  # fmt: skip
        ratios = []
        for _ in range(rounds):
            ours = _curl(url, server)
            before = time.clock_gettime(time.CLOCK_MONOTONIC)
            theirs = _cpu_of(command)
            say(f"  {form}: {ours.cpu_s:.2f} s of CPU in {ours.whole_s:.2f} s; ffmpeg {theirs:.2f} s in "
                f"{time.clock_gettime(time.CLOCK_MONOTONIC) - before:.2f} s")  # fmt: skip
            ratios.append(theirs / ours.cpu_s)
    section.find(f"{form.upper()} against ffmpeg -c copy, CPU", ratios, "", target=FFMPEG_TARGET, at_least=True)


def _cpu_of(command: list[str]) -> float:
    """CPU seconds of a command whose output is read and thrown away."""
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        buffer = bytearray(1 << 20)
        last = 0.0
        while process.stdout.readinto(buffer):  # type: ignore[attr-defined]
            last = tree_cpu_s(process.pid)
        if process.wait():
            raise RuntimeError("ffmpeg failed")
    return last


def _path(server: Server, form: str, start: int, end: int) -> str:
    times = f"from={to_rfc3339(start)}&to={to_rfc3339(end)}"
    return f"/api/v1/cameras/{server.cameras[0]}/recording.{form}?{times}"


def _curl(url: str, server: Server | None = None, output: Path | None = None) -> Fetched:
    before = tree_cpu_s(server.pid) if server else 0.0
    head = ["--header", f"Authorization: Bearer {server.token}"] if server else []
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--fail", *head, "--output", str(output or "/dev/null"),
         "--write-out", "%{size_download} %{time_starttransfer} %{time_total}", url],
        capture_output=True, text=True, check=True, timeout=600,
    )  # fmt: skip
    size, first, whole = done.stdout.split()
    cpu = tree_cpu_s(server.pid) - before if server else 0.0
    return Fetched(int(size), float(first), float(whole), cpu)


def _begin(server: Server, form: str, start: int, end: int) -> float:
    """Seconds to the first byte of a whole file."""
    return _timed(server, _path(server, form, start, end), {}, lambda response: response.read(1))


def _end(server: Server, start: int, end: int) -> float:
    """Seconds until all of the last 64 KB of an AVI are there."""
    headers = {"Range": f"bytes=-{END_BYTES}"}
    return _timed(server, _path(server, "avi", start, end), headers, lambda response: response.read())


def _timed(
    server: Server, path: str, headers: dict[str, str], read: Callable[[http.client.HTTPResponse], bytes]
) -> float:
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {server.token}", **headers})
        response = connection.getresponse()
        with response:
            got = read(response)
    finally:
        connection.close()
    if response.status not in (200, 206) or not got:
        raise RuntimeError(f"{path}: {response.status}")
    return time.perf_counter() - began


def _written(server: Server) -> int:
    known = {".mp4", ".db", ".db-wal", ".db-shm"}
    return sum(path.suffix not in known for path in (server.folder / FOLDER).rglob("*") if path.is_file())


# ── what is recorded ────────────────────────────────────────────────────────────────────────────────────────


def _record(server: Server, minutes: int, different: int) -> tuple[int, list[Path]]:
    """Files of a minute: so many different ones, the others are names of these."""
    say(f"downloads: recording {minutes} minutes")
    start = (int(time.time()) // 60 * 60 - minutes * 60 - 600) * TICKS_PER_SECOND
    root = server.folder / FOLDER
    index = Index(root, Database(root / NAME))
    content = _minute()
    table = read_recording(lambda at, size: content[at : at + size], len(content)).table()
    init = content[: table.init_size]
    paths: list[Path] = []
    for n in range(minutes):
        zero = start + n * MINUTE
        path = path_of(root, server.cameras[0], MAIN, zero)
        path.parent.mkdir(parents=True, exist_ok=True)
        if n == 0:
            path.write_bytes(content)
        elif n < different:
            shutil.copyfile(paths[0], path)
        else:
            path.hardlink_to(paths[n - different])
        paths.append(path)
        file = RecordedFile(0, server.cameras[0], MAIN, zero, zero, zero + MINUTE, len(content), path)
        index.put(file, init=init, table=table)
    index.database.close()
    return start, paths


def _minute() -> bytes:
    film = footage()
    sps, pps = film.parameter_sets
    video = video_format([sps], [pps])
    audio, sounds = _sound()
    run, muxer = Run(0), Muxer(lambda _: b"")
    parts, heard = [init_segment(video, audio)], 0
    first = next(n for n, (_, is_idr) in enumerate(film.access_units) if is_idr)
    step = TICKS_PER_SECOND // FPS
    for n in range(60 * FPS):
        data, is_idr = film.access_units[(first + n) % len(film.access_units)]
        unit = AccessUnit(data, n * step, n * step, is_idr, n, video, run)
        parts.append(muxer.video(unit).message)
        while heard * sounds[0].duration <= n * step and heard * sounds[0].duration < MINUTE:
            sound = sounds[heard % len(sounds)]
            again = AudioUnit(sound.data, heard * sound.duration, sound.duration, audio, run)
            parts.append(muxer.audio(again).message)
            heard += 1
    return b"".join(parts)


def _sound() -> tuple[AudioFormat, list[AudioUnit]]:
    encoder: Any = av.CodecContext.create("aac", "w")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = SOUND_RATE, "mono", "fltp", 48_000
    encoder.open()
    noise = np.random.default_rng(1).normal(0, 0.1, (64, 1, 1024)).astype(np.float32)
    packets = []
    for n, samples in enumerate(noise):
        frame = av.AudioFrame.from_ndarray(samples, "fltp", "mono")
        frame.sample_rate, frame.pts = SOUND_RATE, n * 1024
        packets += encoder.encode(frame)
    form = aac.audio_format(bytes(encoder.extradata or b""))
    duration = 1024 * TICKS_PER_SECOND // SOUND_RATE
    return form, [AudioUnit(bytes(packet), 0, duration, form, Run(0)) for packet in packets]


if __name__ == "__main__":
    script(measure, __doc__)
