"""Inputs made from good ones by damaging them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

LIMIT = 16 * 1024
NUMBERS = (b"0", b"-1", b"1", b"255", b"256", b"65535", b"65536", b"4294967295", b"4294967296", b"9" * 30)
BYTES = (0, 1, 0x0A, 0x0D, 0x20, 0x22, 0x24, 0x7F, 0x80, 0xFF)


def mutate(random: Random, seeds: Sequence[bytes]) -> bytes:
    """One of the seeds, changed in one to eight places."""
    data = bytearray(random.choice(seeds))
    for _ in range(random.choice((1, 1, 2, 3, 5, 8))):
        random.choice(CHANGES)(random, data, seeds)
    return bytes(data[:LIMIT])


def flip(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def put_byte(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[random.randrange(len(data))] = random.choice(BYTES)


def insert(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = random.randint(0, len(data))
    data[at:at] = bytes(random.choices(BYTES, k=random.choice((1, 2, 4, 200))))


def remove(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    start = random.randint(0, len(data))
    del data[start : start + random.choice((1, 2, 4, 30))]


def truncate(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    del data[random.randint(0, len(data)) :]


def repeat(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    start = random.randint(0, len(data))
    piece = bytes(data[start : start + random.choice((1, 8, 60, 400))])
    data[start:start] = piece * random.choice((1, 2, 20))


def splice(random: Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    other = random.choice(seeds)
    at = random.randint(0, len(other))
    data[random.randint(0, len(data)) :] = other[at:]


def put_number(random: Random, data: bytearray, _: Sequence[bytes]) -> None:
    """Another number where one is."""
    starts = [digit.start() for digit in re.finditer(rb"[0-9]", data)]
    if starts:
        start = end = random.choice(starts)
        while end < len(data) and 0x30 <= data[end] <= 0x39:
            end += 1
        data[start:end] = random.choice(NUMBERS)


CHANGES = (flip, put_byte, insert, remove, truncate, repeat, splice, put_number)
