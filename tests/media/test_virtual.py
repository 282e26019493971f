"""Virtual files: exact length, any stretch of them is a slice of the whole, times inside are those of the recording;
players and tools that nobody here wrote take each without a complaint."""

from __future__ import annotations

import functools
import json
import os
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.base.clock import TICKS_PER_SECOND
from appliance.base.faults import Fault
from appliance.media import avi, matroska, virtual_mp4
from appliance.media.aac_silence import silence
from appliance.media.avi_slots import picture_slots, sound_slots
from appliance.media.axis import Part
from appliance.media.jpeg import video_format as jpeg_format
from appliance.media.mpeg4 import read_picture
from appliance.media.mpeg4 import video_format as mpeg4_format
from appliance.media.sample_table import AUDIO, SYNC, SampleTable
from appliance.media.selection import Selection, select
from appliance.media.units import AccessUnit, Run
from appliance.media.virtual import Columns, LayoutError, Virtual
from appliance.media.virtual import Run as RowsOfFile
from appliance.recorder.assembling import Assembler
from tests.media.clips import START, Clip, encode_aac, encode_h264, encode_h265, picture
from tests.media.judges import judged_ffmpeg, judged_mediainfo, judged_mkvtoolnix, judged_mpv, judged_vlc, mpv_says, run
from tests.media.recorded import Recorded, long_parts, moved, record, record_in_files
from tests.media.test_mpeg4 import encode as encode_mpeg4
from tests.reference.gather import with_start_codes

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.media.units import AudioFormat, AudioUnit, VideoFormat

T = TICKS_PER_SECOND
FORMS: dict[str, Callable[[Selection], Virtual]] = {
    "mp4": virtual_mp4.lay_out,
    "mkv": matroska.lay_out,
    "avi": avi.lay_out,
}


@dataclass
class Scene:
    """Recorded files on the disk."""

    folder: Path
    files: list[Recorded]
    paths: list[Path]

    def select(self, start: int, end: int, *, sound: bool = True) -> Selection:
        found = select([file.part for file in self.files], start, end, sound=sound)
        assert found is not None
        return found

    def make(self, form: str, selection: Selection) -> bytes:
        virtual = FORMS[form](selection)
        with Assembler(virtual, self.paths) as assembler:
            return bytes(assembler.read(0, virtual.length))

    def file(self, form: str, selection: Selection, name: str = "made") -> Path:
        path = self.folder / f"{name}.{form}"
        path.write_bytes(self.make(form, selection))
        return path


def scene(folder: Path, files: list[Recorded]) -> Scene:
    return Scene(folder, files, [file.write(folder / f"{n}.rec") for n, file in enumerate(files)])


@pytest.fixture(scope="module")
def sound() -> tuple[AudioFormat, list[AudioUnit]]:
    return encode_aac(6.0)


@pytest.fixture(scope="module")
def clip() -> Clip:
    return encode_h264(150)


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory, clip: Clip, sound: Any) -> Scene:
    """Six seconds with sound in files of less than a second, a gap of ten, and the same again."""
    files = record_in_files(clip.units, sound[1]) + record_in_files(*moved(clip, sound[1], 16 * T))
    return scene(tmp_path_factory.mktemp("gate"), files)


@pytest.fixture(scope="module")
def span(gate: Scene) -> Selection:
    """From within a group of pictures to within another, behind the gap."""
    return gate.select(START + T // 2 + 1000, START + 20 * T)


def probed(file: Path, *what: str) -> Any:
    done = run("ffprobe", "-v", "warning", "-of", "json", *what, file)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def packets(file: Path, stream: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = probed(file, "-select_streams", stream, "-show_packets")["packets"]
    return found


def shown(file: Path) -> list[float]:
    """When the pictures are shown, as a decoder has them, in seconds."""
    with av.open(str(file)) as container:
        return [float(frame.time or 0) for frame in container.decode(video=0)]


# ── any stretch ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def wholes(gate: Scene, span: Selection) -> dict[str, tuple[Virtual, bytes]]:
    return {form: (lay_out(span), gate.make(form, span)) for form, lay_out in FORMS.items()}


@given(st.sampled_from(sorted(FORMS)), st.data())
@settings(max_examples=60)
def test_any_stretch_is_a_slice_of_the_whole(gate: Scene, wholes, form: str, data: st.DataObject) -> None:
    virtual, whole = wholes[form]
    assert virtual.length == len(whole)
    start = data.draw(st.integers(0, virtual.length))
    end = data.draw(st.integers(start, virtual.length) | st.integers(start, min(virtual.length, start + 40)))
    with Assembler(virtual, gate.paths) as assembler:
        assert assembler.read(start, end) == whole[start:end]


@given(st.sampled_from(sorted(FORMS)), st.integers(300, 70_000), st.data())
@settings(max_examples=40)
def test_pieces_are_cut_behind_whole_samples_and_make_the_whole(gate: Scene, wholes, form, most, data) -> None:
    virtual, whole = wholes[form]
    start = data.draw(st.integers(0, virtual.length))
    got, at = b"", start
    with Assembler(virtual, gate.paths) as assembler:
        while at < virtual.length and len(got) < 200_000:
            end = virtual.cut(at, most)
            assert at < end <= at + most
            got += assembler.read(at, end)
            at = end
    assert got == whole[start:at]


def test_a_deleted_or_shortened_file_is_never_a_wrong_byte(gate: Scene, span: Selection, tmp_path: Path) -> None:
    virtual = virtual_mp4.lay_out(span)
    paths = [tmp_path / path.name for path in gate.paths]
    for path, file in zip(paths, gate.files, strict=True):
        file.write(path)
    paths[5].unlink()
    paths[6].write_bytes(gate.files[6].content[:-1])
    gone = int(span.firsts[span.files == 5][0])
    cut = int(span.firsts[span.files == 7][0]) - 1
    at = len(virtual.pieces[0])
    with Assembler(virtual, paths) as assembler:
        for row in (gone, cut):
            begins = at + int(virtual.rows.starts[row])
            with pytest.raises(Fault) as caught:
                assembler.read(begins - 10, begins + 10)
            assert caught.value.code == "recording_gone"


# ── times ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module", params=["plain", "b-frames", "h265"])
def any_scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, gate: Scene, sound) -> Scene:
    if request.param == "plain":
        return gate
    made = encode_h264(100, b=2) if request.param == "b-frames" else encode_h265(100, b=2)
    files = record_in_files(made.units, sound[1][:62]) + record_in_files(*moved(made, sound[1][:62], 16 * T))
    return scene(tmp_path_factory.mktemp(request.param.replace("-", "_")), files)


def wanted_times(selection: Selection) -> list[int]:
    """When pictures are due that are shown in the span."""
    pts = np.sort(selection.pts[selection.pictures])
    return [int(each) for each in pts if selection.start <= each < selection.end]


def test_an_mp4_begins_and_ends_exactly_and_its_times_are_those_of_the_index(any_scene: Scene) -> None:
    asked, end = START + T // 2 + 1000, START + 18 * T
    selection = any_scene.select(asked, end)
    start = selection.start
    assert asked - T // 25 < start <= asked
    file = any_scene.file("mp4", selection)
    entries = probed(file, "-show_streams", "-show_format")
    assert float(entries["format"]["duration"]) == pytest.approx((end - start) / T, abs=0.001)
    assert entries["format"]["tags"]["creation_time"].startswith("2023-11-14T22:13:20")
    found = [(int(each["pts"]), int(each["size"])) for each in packets(file, "v")]
    pictures = selection.pictures
    due = list(zip((selection.pts[pictures] - start).tolist(), selection.size[pictures].tolist(), strict=True))
    assert [each for each in due if each[0] >= 0] == [each for each in found if each[0] >= 0]
    times = shown(file)
    wanted = [(each - start) / T for each in wanted_times(selection)]
    assert times == pytest.approx(wanted, abs=1e-4)
    heard = [int(each["pts"]) for each in packets(file, "a")]
    of_index = [int(each) for each in selection.pts[selection.sounds_of(0)] - start]
    assert set(heard) <= set(of_index)
    assert {each for each in of_index if each >= 0} <= set(heard)


def test_an_mkv_has_all_times_of_the_index(any_scene: Scene) -> None:
    selection = any_scene.select(START + T // 2 + 1000, START + 18 * T)
    file = any_scene.file("mkv", selection)
    origin = int(selection.pts.min())
    for stream, samples in (("v", selection.pictures), ("a", selection.sounds_of(0))):
        found = [(float(each["pts_time"]), int(each["size"])) for each in packets(file, stream)]
        assert [size for _, size in found] == selection.size[samples].tolist()
        due = ((selection.pts[samples] - origin) / T).tolist()
        assert [time for time, _ in found] == pytest.approx(due, abs=0.00051)
    tags = probed(file, "-show_format")["format"]["tags"]
    assert tags["creation_time"].startswith(f"2023-11-14T22:13:{20 + (origin - START) // T:02d}")
    assert len(shown(file)) == len(selection.pictures)


def test_in_an_avi_each_picture_has_its_turn_and_sound_stays_with_it(any_scene: Scene) -> None:
    selection = any_scene.select(START + T // 2 + 1000, START + 18 * T)
    file = any_scene.file("avi", selection)
    entries = probed(file, "-show_streams")["streams"]
    assert [each["codec_name"] for each in entries] == [selection.codec.replace("h265", "hevc"), "aac"]
    pictures = selection.pictures
    origin = int(selection.dts[pictures[0]])
    turn = float(Fraction(entries[0]["time_base"]))
    found = [each for each in packets(file, "v") if int(each["size"])]
    assert [int(each["dts"]) * turn for each in found] == pytest.approx(
        ((selection.dts[pictures] - origin) / T).tolist(), abs=0.001
    )
    assert len(shown(file)) == len(pictures)
    # silence takes no bytes worth the name, so what is larger is the sound that was recorded
    heard = [each for each in packets(file, "a") if int(each["size"]) > len(silence(1))]
    samples = selection.sounds_of(0)
    samples = samples[(selection.pts[samples] >= origin - 32 * T // 1000) & (selection.size[samples] > 4)]
    unit = 1024 / 16_000
    due = (selection.pts[samples] - origin) / T
    got = [float(each["dts_time"]) for each in heard]
    assert len(got) == len(due)
    assert np.abs(np.array(got) - due).max() <= unit / 2 + 0.001


def test_without_sound_there_is_none_of_it(gate: Scene, sound: Any) -> None:
    selection = gate.select(START, START + 20 * T, sound=False)
    pieces = [unit.data for unit in sound[1][20:40]]
    for form in FORMS:
        made = gate.make(form, selection)
        assert not any(piece in made for piece in pieces), form
    assert all(piece in gate.make("mp4", gate.select(START, START + 20 * T)) for piece in pieces)


def test_what_was_not_recorded_is_nothing(gate: Scene) -> None:
    parts = [file.part for file in gate.files]
    assert select(parts[:8], START + 7 * T, START + 8 * T) is None
    assert select([], START, START + T) is None
    in_gap = gate.select(START + 10 * T, START + 17 * T)  # begins with the first picture there is
    assert in_gap.start == START + 6 * T - T // 25 or in_gap.start >= START + 10 * T


def test_a_new_size_is_shown_from_its_first_picture_on(tmp_path: Path, sound: Any) -> None:
    large, small = encode_h264(20, (320, 180)), encode_h264(20, (160, 90))
    pictures, _ = moved(small, [], T)
    made = scene(tmp_path, [record(large.units, sound[1][:12]), record(pictures)])
    for form in FORMS:
        file = made.file(form, made.select(START, START + 3 * T))
        with av.open(str(file)) as container:
            sizes = [(frame.width, frame.height) for frame in container.decode(video=0)]
        assert sizes == [(320, 180)] * 20 + [(160, 90)] * 20, form
        done = run("ffmpeg", "-v", "error", "-i", file, "-f", "null", "-")
        assert (done.returncode, done.stderr) == (0, ""), form


def test_another_codec_or_too_much_is_refused(tmp_path: Path, clip: Clip) -> None:
    other, _ = moved(encode_h265(10), [], 7 * T)
    made = scene(tmp_path, [record(clip.units), record(other)])
    for lay_out in FORMS.values():
        with pytest.raises(LayoutError, match="h264 to h265") as caught:
            lay_out(made.select(START, START + 8 * T))
        assert caught.value.code == "codec_changed"
    part = made.files[0].part
    late = replace(part, zero=part.zero + 30 * 3600 * T)
    selection = select([part, late], START, START + 31 * 3600 * T)
    assert selection is not None
    with pytest.raises(LayoutError) as caught:
        virtual_mp4.lay_out(selection)
    assert caught.value.code == "gap_too_long"
    assert matroska.lay_out(selection).length > 0


def test_a_clock_set_back_leaves_all_times_in_order(clip: Clip) -> None:
    """By less than two seconds what follows is moved; by more, what there is twice is taken once."""
    for back, lost in ((T, False), (5 * T, True)):
        pictures, _ = moved(clip, [], 6 * T - back)
        selection = select([record(clip.units).part, record(pictures).part], START, START + 60 * T)
        assert selection is not None
        assert (np.diff(selection.dts) > 0).all()
        assert len(selection.pictures) == (300 - (130 if lost else 0))


def jpeg_units() -> list[AccessUnit]:
    encoder = av.VideoCodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 320, 180, "yuvj420p", Fraction(1, 10)
    form, units = jpeg_format(320, 180), []
    for n in range(20):
        frame = av.VideoFrame.from_ndarray(picture(n, 320, 180), format="rgb24").reformat(format="yuvj420p")
        frame.pts = n
        (packet,) = encoder.encode(frame)
        at = START + n * T // 10
        units.append(AccessUnit(bytes(packet), at, at, True, n, form, Run(START)))
    return units


def mpeg4_units() -> list[AccessUnit]:
    packets = encode_mpeg4()
    form = mpeg4_format(read_picture(bytes(packets[0])).headers)
    return [
        AccessUnit(bytes(each), START + n * 3600, START + n * 3600, each.is_keyframe, n, form, Run(START))
        for n, each in enumerate(packets)
    ]


@pytest.mark.parametrize("made", [jpeg_units, mpeg4_units])
@pytest.mark.parametrize("form", sorted(FORMS))
def test_cameras_with_other_codecs_are_played(tmp_path: Path, sound: Any, form: str, made: Any) -> None:
    pictures = made()
    files = scene(tmp_path, record_in_files(pictures, sound[1][:6], every=2))
    assert len(files.files) > 1
    file = files.file(form, files.select(START, START + 60 * T))
    judged_ffmpeg(file)
    judged_mediainfo(file)
    assert len(shown(file)) == len(pictures)


# ── the turns of AVI ────────────────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.integers(1, 20_000) | st.just(3600), min_size=1, max_size=300))
def test_pictures_come_within_half_a_turn_and_20_ms(steps: list[int]) -> None:
    times = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.array(steps, np.int64))))
    slots = picture_slots(times)
    turn = slots.turn(0, slots.count)
    assert (np.diff(turn) > 0).all()
    assert slots.count == len(times)
    assert sorted([*turn.tolist(), *slots.empty(0, slots.empty_turns)[0].tolist()]) == list(range(slots.turns))
    if slots.scale > T // 1000:
        assert np.abs(turn * slots.scale - times).max() <= T // 50 + slots.scale // 2


@given(st.floats(-2e-4, 2e-4), st.integers(0, 25), st.integers(0, 2**32))
@settings(max_examples=20)
def test_sound_stays_with_its_time_for_an_hour(skew: float, jitter_ms: int, seed: int) -> None:
    _, units = encode_aac(0.1)
    unit = 1024 * T // 16_000
    count = 3600 * 16_000 // 1024
    rng = np.random.default_rng(seed)
    times = (np.arange(count) * unit * (1 + skew) + rng.uniform(0, jitter_ms * 90, count)).astype(np.int64)
    slots = sound_slots(units[0].format, times)
    turn = slots.turn(0, slots.count)
    assert np.abs(turn * unit - np.delete(times, slots.left_out)).max() <= 1.6 * unit
    assert (np.diff(turn) > 0).all()
    assert slots.count + slots.empty_turns == turn[-1] + 1
    needless = len(slots.left_out) + slots.empty_turns
    assert needless <= abs(skew) * count * 1.5 + 3  # pieces left out, or silence put in: for the clock's sake only


@functools.cache
def formats() -> tuple[VideoFormat, AudioFormat]:
    return encode_h264(2).format, encode_aac(0.2)[0]


def random_part(rng: np.random.Generator, zero: int, audio: AudioFormat, video: VideoFormat) -> Part:
    """Pictures and sound at times as bad networks make them, sound early or late, with holes."""
    count = int(rng.integers(2, 120))
    steps = rng.choice([3600, 3600, 3600, 3590, 3700, 7200, 40_000], count)
    dts = np.concatenate((np.zeros(1, np.int64), np.cumsum(steps)))[:count]
    heard = int(rng.integers(-9000, 9000)) + np.arange(int(dts[-1]) // 5760 + 1) * 5760 + rng.integers(0, 900)
    heard = heard[rng.random(len(heard)) > 0.1]
    heard = heard[heard >= 0]
    arrival = np.concatenate((dts, heard + int(rng.integers(-20_000, 20_000))))
    order = np.argsort(arrival, kind="stable")
    flags = np.concatenate((np.zeros(count, np.uint8), np.full(len(heard), AUDIO | SYNC, np.uint8)))
    flags[0:count:25] = SYNC
    times = np.concatenate((dts, heard)).astype(np.int64)[order]
    size = rng.integers(1, 3000, len(times))
    duration = np.where(flags[order] & AUDIO, 5760, 3600).astype(np.int64)
    table = SampleTable(900, flags[order], times, duration, np.zeros(len(times), np.int64), size)
    return Part(zero, table, video, audio)


def random_parts(rng: np.random.Generator) -> tuple[list[Part], int]:
    """Some of them, most one behind the other; and the end."""
    video, audio = formats()
    parts, zero = [], START
    for _ in range(int(rng.integers(1, 5))):
        parts.append(random_part(rng, zero, audio, video))
        zero += int(parts[-1].table.dts.max()) + int(rng.choice([3600, 3600, 3600, 90_000 * 20, -50_000]))
    return parts, zero


def random_selection(seed: int) -> Selection:
    """All of such parts."""
    parts, zero = random_parts(np.random.default_rng(seed))
    selection = select(parts, START, zero + T)
    assert selection is not None
    return selection


@given(st.integers(0, 2**32), st.booleans())
@settings(max_examples=60)
def test_files_that_go_on_are_taken_as_any_are(seed: int, sound: bool) -> None:
    """The short way for whole files gives what the long one gives."""
    rng = np.random.default_rng(seed)
    parts, zero = random_parts(rng)
    end = int(rng.integers(START + 1, zero + T))
    found = []
    for short in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            if not short:
                patch.setattr("appliance.media.axis.Axis._goes_on", lambda *_, **__: False)
            found.append(select(parts, START, end, sound=sound))
    if found[0] is None or found[1] is None:
        assert found[0] is found[1]
        return
    columns = ("offset", "size", "is_audio", "is_sync", "dts", "pts", "duration", "format")
    for name in ("start", "end", "files", "firsts", *columns):
        assert np.array_equal(getattr(found[0], name), getattr(found[1], name)), name


def all_of(virtual: Virtual) -> tuple[Columns, Any]:
    """What is known of its rows; how long each is without its head."""
    columns = virtual.rows.columns(0, len(virtual.rows))
    return columns, np.array([len(text) for text in virtual.rows.inserts])[columns.insert] + columns.size


@given(st.integers(0, 2**32))
@settings(max_examples=60)
def test_every_chunk_of_an_avi_takes_its_turn(seed: int) -> None:
    selection = random_selection(seed)
    virtual = avi.lay_out(selection)
    origin = int(selection.dts[selection.pictures[0]])
    rows, bodies = all_of(virtual)
    stream = rows.heads[:, 1] - ord("0")
    files = np.repeat(selection.files, np.diff(selection.firsts, append=len(selection)))
    places = {(int(f), int(o)): n for n, (f, o) in enumerate(zip(files, selection.offset, strict=True))}
    for number, unit in ((0, None), (1, 5760)):
        mine = np.flatnonzero(stream == number)
        real = np.flatnonzero(rows.size[mine] > 0)  # their turns
        samples = [places[virtual.rows.run_of(row)[0], int(rows.offset[row])] for row in mine[real]]
        assert samples == sorted(samples)
        times = (selection.dts if number == 0 else selection.pts)[samples] - origin
        if unit is None:
            assert len(samples) == len(selection.pictures)
            unit = picture_slots(times).scale  # noqa: PLW2901
        off = np.abs(real * unit - times)
        assert off.max(initial=0) <= (T // 50 + unit // 2 if number == 0 else 1.6 * unit)
    assert not np.any((rows.size == 0) & (stream == 0) & (bodies > 0))


@pytest.mark.parametrize("channels", range(1, 7))
def test_silence_is_silent(channels: int) -> None:
    decoder = av.CodecContext.create("aac", "r")
    decoder.extradata = bytes((2 << 3 | 8 >> 1, (8 & 1) << 7 | channels << 3))  # AAC-LC, 16 kHz
    frames = [frame for _ in range(4) for frame in decoder.decode(av.Packet(silence(channels)))]
    frames += decoder.decode(None)
    assert len(frames) >= 3
    assert {frame.layout.nb_channels for frame in frames} == {channels}
    assert not any(frame.to_ndarray().any() for frame in frames)


# ── judges ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("judge", [judged_ffmpeg, judged_mediainfo, judged_mkvtoolnix])
@pytest.mark.parametrize("form", sorted(FORMS))
def test_judges_have_nothing_to_complain_of(gate: Scene, form: str, judge: Callable[[Path], None]) -> None:
    judge(gate.file(form, gate.select(START + T // 2, START + 18 * T), judge.__name__))


@pytest.mark.parametrize("form", sorted(FORMS))
def test_nor_have_they_of_other_pictures(any_scene: Scene, form: str) -> None:
    file = any_scene.file(form, any_scene.select(START + T // 2, START + 18 * T), "any")
    judged_ffmpeg(file)
    judged_mediainfo(file)


@pytest.mark.parametrize("judge", [judged_mpv, judged_vlc])
@pytest.mark.parametrize("form", sorted(FORMS))
def test_players_have_nothing_to_complain_of(gate: Scene, form: str, judge: Callable[[Path], None]) -> None:
    """Without the gap, which players wait through."""
    judge(gate.file(form, gate.select(START + T // 2, START + 3 * T), judge.__name__))


@pytest.mark.parametrize("form", sorted(FORMS))
def test_mpv_says_of_a_gap_only_from_when_to_when_there_is_no_sound(gate: Scene, form: str) -> None:
    """It warns of each tenth of a second without sound, and goes on behind it.  That is true of what was recorded, and
    silence instead, a row for each piece of it, would make an index of hours of nothing.  AVI has no other way to keep
    sound in its place: there it is silence, of which there is nothing to say.
    """
    file = gate.file(form, gate.select(START + T // 2, START + 18 * T), "gap")
    assert mpv_says(file, "--aid=no") == []
    said = mpv_says(file, "--vid=no")
    if form == "avi":
        assert said == []
        return
    times = np.array([float(each["pts_time"]) for each in packets(file, "a")])
    before = int(np.argmax(np.diff(times)))
    assert times[before + 1] - times[before] == pytest.approx(10, abs=0.1)
    (line,) = said
    found = re.fullmatch(r"Invalid audio PTS: ([\d.]+) -> ([\d.]+)", line)
    assert found is not None, line
    due = (times[before] + 1024 / 16_000, times[before + 1])
    assert (float(found[1]), float(found[2])) == pytest.approx(due, abs=0.002)


# ── hours ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def three_hours(clip: Clip, sound: Any) -> Selection:
    parts = long_parts(3, clip.format, sound[0])
    selection = select(parts, parts[0].zero, parts[-1].zero + 60 * T)
    assert selection is not None
    return selection


def padded(unit: bytes, size: int, *, is_audio: bool) -> bytes:
    """So many bytes of sample: what is behind the unit is a filler, or for sound nothing that is looked at."""
    if is_audio:
        return (unit + bytes(size))[:size]
    filler = size - len(unit) - 4
    return unit + filler.to_bytes(4, "big") + b"\x0c" + b"\xff" * (filler - 2) + b"\x80"


@pytest.mark.parametrize("form", sorted(FORMS))
def test_three_hours_are_laid_out_to_the_last_sample(
    three_hours: Selection, form: str, tmp_path: Path, clip: Clip, sound: Any
) -> None:
    """A sparse file with all that is ours and few samples: where the index leads, there each sample is."""
    virtual = FORMS[form](three_hours)
    rows, starts = virtual.rows, virtual.rows.starts
    columns, bodies = all_of(virtual)
    assert virtual.length > 5 << 30
    path = tmp_path / f"long.{form}"
    at, places = 0, np.empty(len(rows), np.int64)
    with path.open("wb") as file:
        file.truncate(virtual.length)
        for piece in virtual.pieces:
            file.seek(at)
            if isinstance(piece, tuple):
                first, last = piece
                places[first:last] = starts[first:last] - starts[first] + at
                at += int(starts[last] - starts[first])
            else:
                file.write(piece if isinstance(piece, bytes) else piece.make(0, len(piece)))
                at += len(piece)
        for row in [*range(400), *range(len(rows) - 800, len(rows))]:
            unit = sound[1][row % 50].data if three_hours.is_audio[row] else clip.units[0].data
            data = padded(unit, int(columns.size[row]), is_audio=bool(three_hours.is_audio[row]))
            if columns.start_codes[row]:
                data = with_start_codes(data)
            head = columns.heads[row].tobytes() + rows.inserts[columns.insert[row]]
            os.pwrite(file.fileno(), head + data, int(places[row]))
    done = run(
        "ffprobe", "-v", "error", "-of", "json", "-show_packets", "-show_streams", "-read_intervals", "10794%+#120",
        path,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert float(found["streams"][0].get("duration", 10_800)) == pytest.approx(10_800, abs=0.1)
    head = columns.heads.shape[1]
    by_place = {int(places[row]) + head: row for row in range(len(rows) - 1000, len(rows))}
    compared = 0
    for each in found["packets"]:
        row = by_place.get(int(each["pos"]))
        if form == "mkv":  # there it is where the block begins, or its content
            row = next((known for place, known in by_place.items() if 0 <= place - int(each["pos"]) <= head), None)
        assert row is not None, each
        assert int(each["size"]) == bodies[row]
        due = (three_hours.pts[row] - three_hours.pts[0]) / T
        assert float(each["dts_time"]) == pytest.approx(due, abs=0.034 if form == "avi" else 0.001)
        compared += 1
    assert compared >= 100


def test_the_end_of_three_hours_is_laid_out_without_what_comes_before(three_hours: Selection) -> None:
    for lay_out in FORMS.values():
        virtual = lay_out(three_hours)
        parts = list(virtual.parts(virtual.length - 65_536, virtual.length))
        assert sum(part.keep if isinstance(part, RowsOfFile) else len(part) for part in parts) == 65_536
        assert len(parts) < 20
        head, again = virtual.pieces[0], lay_out(three_hours).pieces[0]
        assert isinstance(head, bytes)
        assert head == again
