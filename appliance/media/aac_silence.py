"""Silence as AAC-LC, to be put where there is no sound (ISO/IEC 14496-3 §4.4.2)."""

from __future__ import annotations

from typing import Final

_SINGLE, _PAIR, _LOW, _END = "000", "001", "011", "111"
_GAIN = "00000000"
_WINDOW = "0" + "00" + "0" + "000000" + "0"  # one long window, no band of it has anything, no prediction
_NO_TOOLS = "000"  # pulses, noise shaping, gain control
_ALONE = _GAIN + _WINDOW + _NO_TOOLS
_BOTH = "1" + _WINDOW + "00" + (_GAIN + _NO_TOOLS) * 2  # a window in common
#: The elements of each channel configuration (§1.6.3.5).
_ELEMENTS: Final = {
    1: (_SINGLE,),
    2: (_PAIR,),
    3: (_SINGLE, _PAIR),
    4: (_SINGLE, _PAIR, _SINGLE),
    5: (_SINGLE, _PAIR, _PAIR),
    6: (_SINGLE, _PAIR, _PAIR, _LOW),
}


def silence(channels: int) -> bytes:
    """One piece of it.  Raises KeyError for more than six channels."""
    bits, used = "", {_SINGLE: 0, _PAIR: 0, _LOW: 0}
    for kind in _ELEMENTS[channels]:
        bits += f"{kind}{used[kind]:04b}" + (_BOTH if kind == _PAIR else _ALONE)
        used[kind] += 1
    bits += _END
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")
