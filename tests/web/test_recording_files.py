"""Recordings as files over HTTP: any part at any time, no byte more than is allowed, nothing on the disk."""

from __future__ import annotations

import functools
import http.client
import io
import subprocess
import time
from typing import TYPE_CHECKING, Any

import av
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Headers

from appliance.auth.rights import Right
from appliance.base.clock import TICKS_PER_SECOND, local_time, to_rfc3339
from appliance.media.masks import checked
from appliance.web.parts import UnsatisfiableError, disposition, wanted_part
from tests.media.clips import encode_aac, encode_h264
from tests.recorder.made import endless, make_recording
from tests.web.appliance import House, open_house, running_house

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from appliance.media.units import AudioUnit, Unit
    from appliance.sites.cameras import Camera
    from tests.media.clips import Clip
    from tests.web.visitor import Visitor

T = TICKS_PER_SECOND
SECONDS = 70
#: An hour ago, on a full minute: what is older than some days is deleted.
START = (int(time.time()) // 60 * 60 - 3600) * T
FORMS = {"mp4": "video/mp4", "mkv": "video/x-matroska", "avi": "video/x-msvideo"}
#: Large enough for a download not to fit into the buffers between two programs.
FILLER = (10_000).to_bytes(4, "big") + b"\x0c" + b"\xff" * 9_998 + b"\x80"
LARGE = 15 << 20


@functools.cache
def footage() -> tuple[Clip, list[AudioUnit]]:
    return encode_h264(50, gop=50), encode_aac(2.0)[1]


def units(seconds: float = SECONDS) -> Iterator[Unit]:
    clip, sounds = footage()
    for unit in endless(clip, START, seconds, sounds=sounds):
        more: Any = type(unit)
        if hasattr(unit, "is_idr"):
            unit = more(  # noqa: PLW2901
                unit.data + FILLER, unit.pts, unit.dts, unit.is_idr, unit.seq, unit.format, unit.run
            )
        yield unit


async def record(house: House, camera: Camera, seconds: float = SECONDS) -> None:
    await keep(house, camera, units(seconds))


async def keep(house: House, camera: Camera, recorded: Iterable[Unit]) -> None:
    index, clock = house.services.archive._index, house.services.clock
    make = functools.partial(make_recording, house.folder, recorded, camera_id=camera.id, index=index, clock=clock)
    await trio.to_thread.run_sync(make)


async def saver(house: House, name: str, camera: Camera, *more: Right) -> Visitor:
    user = await house.user(name)
    granted = {right: frozenset({camera.id}) for right in (Right.EXPORT, *more)}
    return await house.visitor(await house.services.auth.users.grant(user.id, granted))


def path_of(
    camera: Camera, form: str = "mp4", start: int = START + T, end: int = START + 65 * T, more: str = ""
) -> str:
    times = f"from={to_rfc3339(start)}&to={to_rfc3339(end)}"
    return f"/api/v1/cameras/{camera.id}/recording.{form}?{times}{more}"


@pytest.fixture(scope="module")
def cinema() -> Iterator[tuple[House, Camera, Visitor]]:
    """A house with a recording of 70 s and somebody who may save it."""
    with running_house() as house:
        camera = house.do(house.camera, "Café / ../Gate: “1”")
        house.do(record, house, camera)
        yield house, camera, house.do(saver, house, "anna", camera, Right.AUDIO)


# ── parts ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", sorted(FORMS))
def test_a_file_has_its_length_and_any_part_of_it_can_be_had(cinema: Any, form: str) -> None:
    house, camera, anna = cinema
    path = path_of(camera, form)
    before = used(house.folder)
    whole = anna.call("GET", path)
    assert (whole.status, whole.headers["content-type"]) == (200, FORMS[form])
    head = anna.call("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    for answer in (whole, head):
        assert int(answer.headers["content-length"]) == len(whole.body) > LARGE
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["etag"] == whole.headers["etag"]
    length = len(whole.body)
    for asked, (start, end) in {
        "bytes=0-0": (0, 1), "bytes=-65536": (length - 65_536, length), f"bytes={length - 1}-": (length - 1, length),
        "bytes=12345678-12400000": (12_345_678, 12_400_001), f"bytes=5-{length + 9}": (5, length),
        f"bytes={length // 2}-": (length // 2, length),
    }.items():  # fmt: skip
        part = anna.call("GET", path, headers={"Range": asked, "If-Range": whole.headers["etag"]})
        assert (part.status, part.headers["content-range"]) == (206, f"bytes {start}-{end - 1}/{length}")
        assert int(part.headers["content-length"]) == end - start
        assert part.body == whole.body[start:end], asked
    with av.open(io.BytesIO(whole.body)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        shown = sum(packet.size > 0 for packet in container.demux(video=0))
    assert shown == 65 * 25  # with the second before the picture that was asked for
    assert used(house.folder) == before


def used(folder: Path) -> dict[str, int]:
    """What lies in the data folder, without the logs and what belongs to its databases."""
    return {
        str(path): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in (".db-wal", ".db-shm", ".log", ".db")
    }


def test_a_download_goes_on_where_it_was_interrupted(cinema: Any, tmp_path: Path) -> None:
    house, camera, anna = cinema
    authority = tmp_path / "ca.pem"
    authority.write_bytes(house.authority)
    url = f"https://127.0.0.1:{house.port}{path_of(camera, 'mkv')}"
    curl = ["curl", "--silent", "--show-error", "--globoff", "--cacert", authority, "--max-time", "30",
            "--header", f"Authorization: Bearer {anna.token}"]  # fmt: skip
    for name, more in (("whole", []), ("resumed", ["--range", "0-5999999"]), ("resumed", ["--continue-at", "-"])):
        subprocess.run([*curl, *more, "--output", tmp_path / name, url], check=True, timeout=60)
    assert (tmp_path / "resumed").stat().st_size > LARGE
    assert (tmp_path / "resumed").read_bytes() == (tmp_path / "whole").read_bytes()


def test_what_cannot_be_had_is_said(cinema: Any) -> None:
    _, camera, anna = cinema
    length = int(anna.call("HEAD", path_of(camera)).headers["content-length"])
    for asked in (f"bytes={length}-", "bytes=-0"):
        refused = anna.call("GET", path_of(camera), headers={"Range": asked})
        assert (refused.status, refused.code) == (416, "no_such_range")
        assert refused.headers["content-range"] == f"bytes */{length}"
    cases = {
        path_of(camera, start=START + 500 * T, end=START + 600 * T): (404, "no_recording", None),
        path_of(camera, start=START - T, end=START): (404, "no_recording", None),
        path_of(camera, more="&stream=sub"): (404, "no_recording", None),
        path_of(camera, more="&stream=third"): (422, "bad_parameter", "stream"),
        path_of(camera, start=START, end=START): (422, "bad_parameter", "to"),
        path_of(camera, end=START + 90_000 * T): (422, "span_too_long", "to"),
        path_of(camera).partition("?")[0]: (422, "bad_parameter", "from"),
        path_of(camera).partition("&")[0]: (422, "bad_parameter", "to"),
        path_of(camera).partition("&")[0] + "&to=soon": (422, "bad_parameter", "to"),
    }
    for path, (status, code, field) in cases.items():
        answer = anna.call("GET", path)
        assert (answer.status, answer.code, answer.json.get("field")) == (status, code, field), path


def test_another_version_of_the_file_is_not_mixed_with_this_one(cinema: Any) -> None:
    _, camera, anna = cinema
    short = path_of(camera, end=START + 3 * T)
    tags = [anna.call("HEAD", path).headers["etag"] for path in (short, short, path_of(camera, end=START + 4 * T))]
    assert tags[0] == tags[1] != tags[2]
    whole = anna.call("GET", short, headers={"Range": "bytes=0-99", "If-Range": tags[2]})
    assert (whole.status, len(whole.body)) == (200, int(whole.headers["content-length"]))


def test_the_name_is_a_name_and_no_path(cinema: Any) -> None:
    _, camera, anna = cinema
    said = anna.call("HEAD", path_of(camera, "avi")).headers["content-disposition"]
    clock = f"{local_time(START):%Y-%m-%d_%H-%M}"
    assert said.startswith(f'attachment; filename="Cafe _ .._Gate_ 1_{clock}'), said
    assert f"filename*=UTF-8''Caf%C3%A9%20_%20.._Gate_%20%E2%80%9C1%E2%80%9D_{clock}" in said


@given(st.text(max_size=200))
def test_no_name_becomes_a_path_or_another_header(name: str) -> None:
    try:
        said = disposition(name)
    except UnicodeEncodeError:
        assert any("\ud800" <= sign <= "\udfff" for sign in name)
        return
    kind, plain, full = said.split('"')
    assert (kind, full[: len("; filename*=UTF-8''")]) == ("attachment; filename=", "; filename*=UTF-8''")
    assert said.isascii()
    assert said.isprintable()
    assert plain not in ("", ".", "..")
    assert not set(plain + full[len("; filename*=UTF-8''") :]) & set("/\\\r\n")
    assert "%2F" not in full
    assert "%5C" not in full


@given(st.one_of(st.none(), st.integers(0, 12)), st.one_of(st.none(), st.integers(0, 12)), st.integers(1, 10))
def test_parts_are_those_of_rfc_9110(first: int | None, last: int | None, length: int) -> None:
    text = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    headers = Headers({"Range": text})
    positions = list(range(length))
    if first is None and last is None:
        due: list[int] | None = None
    elif first is None:
        due = positions[max(0, length - (last or 0)) :]
    elif last is not None and last < first:
        due = None
    else:
        due = positions[first : length if last is None else last + 1]
    if due == []:
        with pytest.raises(UnsatisfiableError):
            wanted_part(headers, '"x"', length)
        return
    part = wanted_part(headers, '"x"', length)
    assert (None if part is None else positions[slice(*part)]) == due
    assert wanted_part(Headers({"Range": text, "If-Range": '"y"'}), '"x"', length) is None
    assert wanted_part(Headers({"Range": "bytes=0-1,3-4"}), '"x"', length) is None


# ── rights ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_may_not_hear_gets_no_sound(cinema: Any) -> None:
    house, camera, anna = cinema
    deaf = house.do(saver, house, "deaf", camera)
    heard = anna.call("GET", path_of(camera, end=START + 4 * T)).body
    pieces = [unit.data for unit in footage()[1][10:20]]
    assert all(piece in heard for piece in pieces)
    for who, more in ((deaf, ""), (anna, "&audio=0")):
        for form in FORMS:
            silent = who.call("GET", path_of(camera, form, end=START + 4 * T, more=more)).body
            assert not any(piece in silent for piece in pieces)
            with av.open(io.BytesIO(silent)) as container:
                assert [stream.type for stream in container.streams] == ["video"]


class Reader:
    """A download that is read as slowly as a test wants."""

    def __init__(self, visitor: Visitor, path: str) -> None:
        self._connection = visitor.connect()
        self._connection.request("GET", path, headers=visitor.identity)
        self.response = self._connection.getresponse()
        self.got = self.response.read(1000) if self.response.status < 400 else b""

    def rest(self) -> bytes:
        """Read on to the end.  Raises what a client sees where bytes are missing."""
        with self.response:
            self.got += self.response.read()
        self.close()
        return self.got

    def close(self) -> None:
        self.response.close()
        self._connection.close()


def broken_off(reader: Reader) -> bytes:
    """What came of a download that was broken off, within five seconds."""
    began = time.monotonic()
    with pytest.raises((http.client.IncompleteRead, ConnectionError)) as caught:
        reader.rest()
    assert time.monotonic() - began < 5
    reader.close()
    got = reader.got + (caught.value.partial if isinstance(caught.value, http.client.IncompleteRead) else b"")
    assert len(got) < int(reader.response.headers["Content-Length"])
    return got


def test_a_download_ends_when_it_is_not_allowed_any_more(cinema: Any) -> None:
    house = cinema[0]
    users, cameras = house.services.auth.users, house.services.cameras
    gate = house.do(house.camera, "Leaving")
    house.do(record, house, gate)
    here = frozenset({gate.id})
    mask = functools.partial(cameras.change, gate.id, mask=checked([[[0, 0], [0.5, 0], [0.5, 1], [0, 1]]]))
    takes = {
        "right": functools.partial(users.grant, "leaving", {Right.EXPORT: frozenset()}),
        "sound": functools.partial(users.grant, "leaving", {Right.AUDIO: frozenset(), Right.EXPORT: here}),
        "mask": mask,
        "session": functools.partial(users.change, "leaving", disabled=True),
        "camera": functools.partial(cameras.remove, gate.id),
    }
    user = house.do(house.user, "leaving")
    for name, take in takes.items():
        house.do(functools.partial(users.change, "leaving", disabled=False))
        house.do(functools.partial(cameras.change, gate.id, mask=()))
        house.do(users.grant, "leaving", {Right.EXPORT: here, Right.AUDIO: here})
        reader = Reader(house.do(house.visitor, user), path_of(gate))
        assert (reader.response.status, len(reader.got)) == (200, 1000), name
        house.do(take)
        broken_off(reader)


def test_a_user_has_so_many_downloads_at_once(cinema: Any, monkeypatch: Any) -> None:
    house, camera, _ = cinema
    monkeypatch.setattr("appliance.streams.exports.PLACE_S", 0.2)
    cara, dora = house.do(saver, house, "cara", camera), house.do(saver, house, "dora", camera)
    readers = [Reader(cara, path_of(camera)) for _ in range(2)]
    refused = cara.call("GET", path_of(camera))
    assert (refused.status, refused.code, refused.headers["retry-after"]) == (429, "too_many_exports", "10")
    assert dora.call("HEAD", path_of(camera)).status == 200
    monkeypatch.setattr("appliance.streams.exports.PLACE_S", 10)
    readers[0].close()
    assert cara.call("HEAD", path_of(camera)).status == 200  # once the other has been noticed to be gone
    readers[1].close()


def test_what_is_deleted_meanwhile_is_never_another_byte(cinema: Any) -> None:
    house = cinema[0]
    gate = house.do(house.camera, "Deleted")
    house.do(record, house, gate)
    emma = house.do(saver, house, "emma", gate)
    whole = emma.call("GET", path_of(gate)).body
    files = house.do(house.services.archive.files, gate.id, "main", START, START + 100 * T)
    assert len(files) == 2
    kept = files[1].path.rename(files[1].path.with_suffix(".away"))
    got = broken_off(Reader(emma, path_of(gate)))
    assert len(got) > LARGE * 2 // 3
    assert whole.startswith(got)
    for part in ("bytes=-1000", f"bytes={len(whole) - 500_000}-"):
        gone = emma.call("GET", path_of(gate), headers={"Range": part})
        assert (gone.status, gone.code) == (404, "recording_gone")
    kept.rename(files[1].path)
    assert emma.call("GET", path_of(gate)).body == whole


def test_who_does_not_read_is_not_waited_for(cinema: Any, monkeypatch: Any) -> None:
    house, camera, _ = cinema
    monkeypatch.setattr("appliance.serve.downloads.PATIENCE_S", 0.3)
    reader = Reader(house.do(saver, house, "fay", camera), path_of(camera))
    time.sleep(1.5)
    broken_off(reader)


def test_a_recording_that_goes_on_is_a_file_too(cinema: Any) -> None:
    """What is written behind the end that was asked for changes nothing; what is written before it does."""
    house = cinema[0]
    camera = house.do(house.camera, "Going on")
    gina = house.do(saver, house, "gina", camera)
    house.do(record, house, camera, 10)
    inside, beyond = path_of(camera, end=START + 8 * T), path_of(camera, end=START + 60 * T)
    first = [gina.call("GET", path) for path in (inside, beyond)]
    house.do(keep, house, camera, list(endless(footage()[0], START + 10 * T, 5)))
    second = [gina.call("GET", path) for path in (inside, beyond)]
    assert (first[0].body, first[0].headers["etag"]) == (second[0].body, second[0].headers["etag"])
    assert first[1].headers["etag"] != second[1].headers["etag"]


async def test_plain_http_gives_the_same() -> None:
    """Where the socket takes what it can, without TLS."""
    async with open_house(https=0) as house:
        camera = await house.camera()
        await record(house, camera)
        anna = await saver(house, "anna", camera)
        anna.tls = False
        whole = await anna.get(path_of(camera))
        assert len(whole.body) == int(whole.headers["content-length"]) > LARGE
        part = await anna.get(path_of(camera), Range="bytes=3000000-12999999")
        assert part.body == whole.body[3_000_000:13_000_000]
