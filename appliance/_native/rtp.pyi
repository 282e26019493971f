from typing import Final

from typing_extensions import Buffer

MORE: Final[int]
TEXT: Final[int]
FULL: Final[int]

IDR: Final[int]
SEI: Final[int]
LOSS: Final[int]
CRA: Final[int]
BLA: Final[int]
RASL: Final[int]

ODD_EARLY_MARKER: Final[int]
ODD_NO_MARKER: Final[int]
ODD_START_CODES: Final[int]
ODD_WHOLE_FRAGMENT: Final[int]
ODD_TRAILING_ZEROS: Final[int]
ODD_RESTART: Final[int]
ODD_TIME_INSIDE: Final[int]
ODD_FRAGMENTS: Final[int]
ODD_PACKET_TYPE: Final[int]
ODD_TOO_BIG: Final[int]

def scan_interleaved(
    data: Buffer, offset: int = 0, limit: int = 1024
) -> tuple[list[tuple[int, int, int]], int, int]: ...

class Depacketizer:
    @property
    def payload_type(self) -> int: ...
    @property
    def received(self) -> int: ...
    @property
    def lost(self) -> int: ...
    @property
    def late(self) -> int: ...
    @property
    def malformed(self) -> int: ...
    @property
    def foreign(self) -> int: ...
    @property
    def dropped(self) -> int: ...
    @property
    def highest(self) -> int: ...
    @property
    def ssrc(self) -> int: ...
    @property
    def oddities(self) -> int: ...

class PictureDepacketizer(Depacketizer):
    def __init__(self, payload_type: int, unit_limit: int = ..., nal_limit: int = 1024) -> None: ...
    def push(self, data: Buffer, start: int, end: int) -> list[tuple[bytes, int, int, tuple[bytes, ...]]] | None: ...
    def push_run(
        self, data: Buffer, spans: list[tuple[int, int, int]], at: int
    ) -> tuple[list[tuple[bytes, int, int, tuple[bytes, ...]]] | None, int]: ...

class H264Depacketizer(PictureDepacketizer): ...
class H265Depacketizer(PictureDepacketizer): ...

#: type_specific, type, q, width, height, restart_interval, precision, tables, segments
JpegHeader = tuple[int, int, int, int, int, int, int, bytes | None, bytes]

class JpegDepacketizer(Depacketizer):
    def __init__(self, payload_type: int, unit_limit: int = ...) -> None: ...
    def push(self, data: Buffer, start: int, end: int) -> list[tuple[bytes, int, int, JpegHeader]] | None: ...
    def push_run(
        self, data: Buffer, spans: list[tuple[int, int, int]], at: int
    ) -> tuple[list[tuple[bytes, int, int, JpegHeader]] | None, int]: ...

class Mpeg4Depacketizer(Depacketizer):
    def __init__(self, payload_type: int, unit_limit: int = ...) -> None: ...
    def push(self, data: Buffer, start: int, end: int) -> list[tuple[bytes, int, int]] | None: ...
    def push_run(
        self, data: Buffer, spans: list[tuple[int, int, int]], at: int
    ) -> tuple[list[tuple[bytes, int, int]] | None, int]: ...

class SoundDepacketizer(Depacketizer):
    def push(self, data: Buffer, start: int, end: int) -> list[tuple[bytes, int]] | None: ...

class PcmDepacketizer(SoundDepacketizer):
    def __init__(self, payload_type: int, limit: int = 8000) -> None: ...

class AacDepacketizer(SoundDepacketizer):
    def __init__(
        self,
        payload_type: int,
        size_length: int = 13,
        index_length: int = 3,
        index_delta_length: int = 3,
        samples: int = 1024,
    ) -> None: ...
