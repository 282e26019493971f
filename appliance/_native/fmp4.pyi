from typing import Final

from typing_extensions import Buffer

OVERHEAD: Final[int]
DECODE_TIME_AT: Final[int]

def fragment(
    prefix: bytes,
    data: Buffer,
    track: int,
    sequence: int,
    decode_time: int,
    duration: int,
    composition: int,
    sync: bool,
) -> bytes: ...
