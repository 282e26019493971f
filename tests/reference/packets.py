"""Makes what a camera sends: RTP packets (RFC 3550 §5.1), payloads of H.264 (RFC 6184), H.265 (RFC 7798), JPEG
(RFC 2435) and AAC (RFC 3640)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


def rtp(
    payload: bytes,
    *,
    sequence: int = 0,
    time: int = 0,
    marker: bool = False,
    payload_type: int = 96,
    ssrc: int = 0x1234,
    csrc: int = 0,
    extension: bytes | None = None,
    profile: int = 0xBEDE,
    padding: int = 0,
) -> bytes:
    first = 0x80 | csrc | (0x10 if extension is not None else 0) | (0x20 if padding else 0)
    head = bytes((first, payload_type | (0x80 if marker else 0))) + (sequence & 0xFFFF).to_bytes(2, "big")
    head += (time & 0xFFFFFFFF).to_bytes(4, "big") + ssrc.to_bytes(4, "big") + b"\0\0\0\7" * csrc
    if extension is not None:
        head += profile.to_bytes(2, "big") + (len(extension) // 4).to_bytes(2, "big") + extension
    return head + payload + (bytes(padding - 1) + bytes((padding,)) if padding else b"")


def interleaved(channel: int, packet: bytes) -> bytes:
    return bytes((0x24, channel)) + len(packet).to_bytes(2, "big") + packet


def stap_a(*nals: bytes) -> bytes:
    return b"\x18" + b"".join(len(nal).to_bytes(2, "big") + nal for nal in nals)


def fu_a(nal: bytes, size: int) -> list[bytes]:
    """The NAL unit in fragments of ``size`` bytes at most, two at least."""
    body = nal[1:]
    size = max(1, min(size, (len(body) + 1) // 2))
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    indicator, kind = nal[0] & 0xE0 | 28, nal[0] & 31
    last = len(pieces) - 1
    return [
        bytes((indicator, kind | (0x80 if n == 0 else 0) | (0x40 if n == last else 0))) + piece
        for n, piece in enumerate(pieces)
    ]


def ap(*nals: bytes) -> bytes:
    """H.265 aggregation packet."""
    return b"\x60\x01" + b"".join(len(nal).to_bytes(2, "big") + nal for nal in nals)


def fu(nal: bytes, size: int) -> list[bytes]:
    """The H.265 NAL unit in fragments of ``size`` bytes at most, two at least."""
    body = nal[2:]
    size = max(1, min(size, (len(body) + 1) // 2))
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    header, kind = bytes((nal[0] & 0x81 | 49 << 1, nal[1])), nal[0] >> 1 & 63
    last = len(pieces) - 1
    return [
        header + bytes((kind | (0x80 if n == 0 else 0) | (0x40 if n == last else 0),)) + piece
        for n, piece in enumerate(pieces)
    ]


def jpeg(
    scan: bytes,
    size: int,
    *,
    width: int = 640,
    height: int = 480,
    kind: int = 1,
    q: int = 50,
    specific: int = 0,
    restart: int = 0,
    precision: int = 0,
    tables: bytes | None = None,
) -> list[bytes]:
    """The payloads of a picture, ``size`` bytes of its content in each; ``tables`` where ``q`` is 128 or more."""
    found = []
    for offset in range(0, len(scan), size):
        head = bytes((specific,)) + offset.to_bytes(3, "big") + bytes((kind, q, width // 8, height // 8))
        if 64 <= kind < 128:
            head += restart.to_bytes(2, "big") + b"\xff\xff"
        if q >= 128 and offset == 0:
            head += bytes((0, precision)) + len(tables or b"").to_bytes(2, "big") + (tables or b"")
        found.append(head + scan[offset : offset + size])
    return found


def aac_hbr(*frames: bytes) -> bytes:
    heads = b"".join((len(frame) << 3).to_bytes(2, "big") for frame in frames)
    return (len(frames) * 16).to_bytes(2, "big") + heads + b"".join(frames)


def payloads(nal: bytes, size: int, split: Callable[[bytes, int], list[bytes]] = fu_a) -> list[bytes]:
    return [nal] if len(nal) <= size else split(nal, size)


def packetize(
    pictures: Sequence[Sequence[bytes]],
    *,
    size: int = 1400,
    sequence: int = 0,
    time: int = 0,
    step: int = 3000,
    payload_type: int = 96,
    split: Callable[[bytes, int], list[bytes]] = fu_a,
) -> Iterator[bytes]:
    """The packets of pictures, each a list of NAL units; the marker on each picture's last packet."""
    for number, nals in enumerate(pictures):
        parts = [part for nal in nals for part in payloads(nal, size, split)]
        for n, part in enumerate(parts):
            yield rtp(
                part,
                sequence=sequence,
                time=time + number * step,
                marker=n == len(parts) - 1,
                payload_type=payload_type,
            )
            sequence += 1


def avcc(*nals: bytes) -> bytes:
    return b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals)
