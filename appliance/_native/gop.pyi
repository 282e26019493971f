from typing import Final

from typing_extensions import Buffer

PICTURE: Final[int]
IS_IDR: Final[int]
PARAMETER_SETS: Final[int]
REFERENCE: Final[int]
INTRA: Final[int]
DAMAGED: Final[int]

def describe(data: Buffer) -> tuple[int, int]: ...
