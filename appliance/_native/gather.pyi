import numpy as np
import numpy.typing as npt
from typing_extensions import Buffer

def gather(
    fd: int,
    out: Buffer,
    offset: npt.NDArray[np.int64],
    size: npt.NDArray[np.int32],
    heads: npt.NDArray[np.uint8],
    insert: npt.NDArray[np.uint8],
    inserts: tuple[bytes, ...],
    start_codes: npt.NDArray[np.uint8],
    first: int,
    last: int,
    align: int,
) -> int: ...
