from typing import Final

from typing_extensions import Buffer

MOST: Final[int]

def send_each(fds: list[int], data: Buffer) -> list[int]: ...
