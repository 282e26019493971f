from collections.abc import Callable, Sequence
from typing import Final

from typing_extensions import Buffer

MOST: Final[int]

class Port:
    fd: int
    write: Callable[[bytes], int] | None
    closed: bool
    pending: bool
    torn: bool
    held: bool
    flows: bool
    hears: bool
    sent_bytes: int
    sent_messages: int
    def __init__(self, fd: int = -1) -> None: ...

def send_each(ports: Sequence[Port], data: Buffer, sound: bool = False) -> list[tuple[int, int]]: ...
