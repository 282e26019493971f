"""What an access unit is to its group of pictures, the slow and obvious way (ISO/IEC 14496-10 §7.3.3, §D.1.8)."""

from __future__ import annotations

from appliance.media.bits import BitReader, BitsError, unescape

PICTURE, IS_IDR, PARAMETER_SETS, REFERENCE, INTRA, DAMAGED = 1, 2, 4, 8, 16, 32


def describe(data: bytes) -> tuple[int, int]:
    flags, recovery, inter = 0, -1, False
    position = 0
    while position < len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        nal = data[position + 4 : position + 4 + length]
        if position + 4 > len(data) or length == 0 or len(nal) < length:
            flags |= DAMAGED
            break
        kind = nal[0] & 31
        if kind in (1, 2, 5):
            flags |= PICTURE | (IS_IDR if kind == 5 else 0) | (REFERENCE if nal[0] & 0x60 else 0)
            found = slice_type(nal)
            if found is None:
                flags |= DAMAGED
            elif found not in (2, 4):
                inter = True
        elif kind == 6 and recovery < 0:
            recovery = recovery_count(nal)
        elif kind in (7, 8):
            flags |= PARAMETER_SETS
        position += 4 + length
    if flags & PICTURE and not inter and not flags & DAMAGED:
        flags |= INTRA
    return flags, recovery


def slice_type(nal: bytes) -> int | None:
    bits = BitReader(unescape(nal[1:]))
    try:
        bits.ue()
        kind = bits.ue()
    except BitsError:
        return None
    return kind % 5 if kind <= 9 else None


def recovery_count(nal: bytes) -> int:
    position = 1
    while position + 2 < len(nal):
        sizes = []
        for _ in range(2):
            value = 0
            while position < len(nal) and nal[position] == 0xFF:
                value += 255
                position += 1
            if position >= len(nal):
                return -1
            sizes.append(value + nal[position])
            position += 1
        kind, length = sizes
        if kind == 6:
            try:
                return BitReader(unescape(nal[position:])).ue()
            except BitsError:
                return -1
        position += length
    return -1
