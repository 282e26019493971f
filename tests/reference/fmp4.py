"""A movie fragment, box by box (ISO/IEC 14496-12 §8.8)."""

from __future__ import annotations

import struct


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def fragment(
    prefix: bytes,
    data: bytes,
    track: int,
    sequence: int,
    decode_time: int,
    duration: int,
    composition: int,
    sync: bool,
) -> bytes:
    def moof(data_offset: int) -> bytes:
        sample = struct.pack(">IIIi", duration, len(data), 0x02000000 if sync else 0x01010000, composition)
        return box(
            b"moof",
            full_box(b"mfhd", 0, 0, struct.pack(">I", sequence)),
            box(
                b"traf",
                full_box(b"tfhd", 0, 0x020000, struct.pack(">I", track)),
                full_box(b"tfdt", 1, 0, struct.pack(">Q", decode_time)),
                full_box(b"trun", 1, 0x000F01, struct.pack(">Ii", 1, data_offset), sample),
            ),
        )

    return prefix + moof(len(moof(0)) + 8) + box(b"mdat", data)
