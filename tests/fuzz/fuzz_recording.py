"""Recorded files, damaged on the disk: what is said to be whole is, and is in order, or the one named error comes."""

from __future__ import annotations

from appliance._native.fmp4 import OVERHEAD
from appliance.media.fmp4_read import Mp4Error, read_samples
from appliance.recorder.reading import head_of, read_recording
from tests.fuzz.fuzz_mp4 import SEEDS as MOVIES

SEEDS = MOVIES


def check(data: bytes) -> None:
    try:
        reading = read_recording(lambda offset, count: data[offset : offset + count], len(data))
    except Mp4Error:
        return
    end = len(reading.init)
    assert data.startswith(reading.init)
    for piece in reading.pieces:
        assert end <= piece.start < piece.end <= len(data)
        at = piece.start
        for sample in piece.samples:
            head = data[at : at + OVERHEAD]
            assert head == head_of(sample, head[20:24])
            at += OVERHEAD + sample.size
        assert at == piece.end
        end = piece.end
    whole = reading.init + b"".join(data[piece.start : piece.end] for piece in reading.pieces)
    assert [each.end - each.start for each in read_samples(whole)] == reading.table().size.tolist()
    assert reading.table().file_size == len(whole)
