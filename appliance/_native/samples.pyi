import numpy as np
import numpy.typing as npt
from typing_extensions import Buffer

def unpack(
    plain: Buffer,
    widths: tuple[int, ...],
    dts: npt.NDArray[np.int64],
    duration: npt.NDArray[np.int64],
    composition: npt.NDArray[np.int64],
    size: npt.NDArray[np.int64],
) -> None: ...
