"""The table of a recorded file: what goes in comes out, offsets are those of the file, damage is named."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance._native.fmp4 import OVERHEAD, fragment
from appliance.media.fmp4 import AUDIO_TRACK, VIDEO_TRACK
from appliance.media.sample_table import Sample, SampleTable, SampleTableError
from tests.media.recorded import table_of

INT = st.integers(0, 1 << 40)
SMALL = st.integers(0, 1 << 20)
SAMPLES = st.lists(
    st.builds(Sample, INT, SMALL, st.integers(-(1 << 20), 1 << 20), st.integers(0, 1 << 23), st.booleans()), max_size=60
)


def columns(table: SampleTable) -> list[list[int]]:
    return [each.tolist() for each in (table.flags, table.dts, table.duration, table.composition, table.size)]


@given(SMALL, SAMPLES)
def test_what_goes_in_comes_out(init_size: int, samples: list[Sample]) -> None:
    table = SampleTable.of(init_size, samples)
    again = SampleTable.decode(table.encode())
    assert again.init_size == init_size
    assert columns(again) == columns(table)
    assert again.dts.tolist() == [each.dts for each in samples]
    assert [bool(flag & 1) for flag in again.flags.tolist()] == [each.is_audio for each in samples]


def test_a_file_is_read_back_where_it_is() -> None:
    init = b"\0\0\0\x08free"
    parts, dts = [init], 0
    for index in range(40):
        audio = index % 3 == 2
        data = bytes([index]) * (100 + index)
        track = AUDIO_TRACK if audio else VIDEO_TRACK
        parts.append(fragment(b"", data, track, index, dts, 3600, 0 if audio else 7200, sync=audio or index % 12 == 0))
        dts += 3600
    content = b"".join(parts)
    table = table_of(content + b"\0\0\0\x68moof cut off")
    assert len(table) == 40
    assert table.file_size == len(content)
    for index, (at, size) in enumerate(zip(table.offset.tolist(), table.size.tolist(), strict=True)):
        assert content[at : at + size] == bytes([index]) * (100 + index)
    assert table.key_pictures.tolist() == [0, 12, 24, 36]
    assert table.sounds.tolist() == list(range(2, 40, 3))
    assert (table.pts - table.dts)[0] == 7200
    assert table.offset[0] == len(init) + OVERHEAD


def test_a_minute_is_small() -> None:
    rng = np.random.default_rng(1)
    samples = [
        Sample(index * 3600, 3600, 0, int(rng.normal(20_000, 4000)), is_sync=index % 50 == 0) for index in range(1500)
    ]
    step = Fraction(90_000 * 1024, 48_000)
    samples += [Sample(int(index * step), int(step), 0, 300, is_audio=True) for index in range(2800)]
    samples.sort(key=lambda each: each.dts)
    assert len(SampleTable.of(900, samples).encode()) < 3 * len(samples)


@pytest.mark.parametrize(
    "damage", [b"", b"\2", b"\1" + bytes(12), b"\2" + bytes(8) + b"\3", b"\2" + bytes(12) + b"nonsense"]
)
def test_damage_is_named(damage: bytes) -> None:
    with pytest.raises(SampleTableError):
        SampleTable.decode(damage)


@given(st.binary(max_size=200))
def test_nonsense_does_no_harm(blob: bytes) -> None:
    with suppress(SampleTableError):
        SampleTable.decode(blob)


def test_a_blob_that_swells_is_refused() -> None:
    table = SampleTable.of(0, [Sample(0, 1, 0, 1)] * 1000)
    blob = bytearray(table.encode())
    blob[5:9] = (10).to_bytes(4, "big")
    with pytest.raises(SampleTableError):
        SampleTable.decode(bytes(blob))
