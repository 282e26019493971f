"""NAL units, the slow and obvious way (ISO/IEC 14496-10 Annex B; ISO/IEC 14496-15 §5.3)."""

from __future__ import annotations


def find_nals(data: bytes, limit: int = 1024) -> list[tuple[int, int]]:
    starts = []
    position = data.find(b"\0\0\1")
    while position >= 0:
        starts.append(position)
        position = data.find(b"\0\0\1", position + 3)
    found = []
    for start, following in zip(starts, [*starts, len(data)][1:], strict=True):
        first, end = start + 3, following
        while end > first and data[end - 1] == 0:
            end -= 1
        if end > first:
            found.append((first, end))
    if len(found) > limit:
        raise ValueError(f"more than {limit} NAL units in one access unit")
    return found


def annexb_to_avcc(data: bytes, limit: int = 1024) -> bytes:
    return b"".join((end - start).to_bytes(4, "big") + data[start:end] for start, end in find_nals(data, limit))


def split_avcc(data: bytes, limit: int = 1024) -> list[tuple[int, int]]:
    found = []
    position = 0
    while position < len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        start, end = position + 4, position + 4 + length
        if start > len(data) or length == 0 or end > len(data):
            raise ValueError("the lengths of the NAL units do not fit the data")
        if len(found) == limit:
            raise ValueError(f"more than {limit} NAL units in one access unit")
        found.append((start, end))
        position = end
    return found


def avcc_to_annexb(data: bytes) -> bytes:
    return b"".join(b"\0\0\0\1" + data[start:end] for start, end in split_avcc(data, len(data)))
