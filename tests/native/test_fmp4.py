"""The fragment kernel writes what its twin writes."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from appliance._native import fmp4
from tests.reference import fmp4 as reference

UINT32 = st.integers(0, 2**32 - 1)


ARGUMENTS = st.tuples(
    st.binary(max_size=10), st.binary(max_size=2000), UINT32, UINT32, st.integers(0, 2**64 - 1), UINT32,
    st.integers(-(2**31), 2**31 - 1), st.booleans(),
)  # fmt: skip


@given(ARGUMENTS)
def test_native_agrees_with_the_reference(arguments) -> None:
    assert fmp4.fragment(*arguments) == reference.fragment(*arguments)


def test_what_recorders_patch_is_where_it_is_said_to_be() -> None:
    made = fmp4.fragment(b"", b"sample", 1, 1, 0x1122334455667788, 1, 0, True)
    assert made[fmp4.DECODE_TIME_AT : fmp4.DECODE_TIME_AT + 8].hex() == "1122334455667788"
    assert made[fmp4.OVERHEAD :] == b"sample"


def test_many_threads_at_once_do_not_disturb_each_other() -> None:
    wrong = []

    def work(n: int) -> None:
        data = bytes([n]) * 5000
        wanted = reference.fragment(b"p", data, n, n, n, n, n, n % 2 == 0)
        wrong.extend(1 for _ in range(300) if fmp4.fragment(b"p", data, n, n, n, n, n, n % 2 == 0) != wanted)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not wrong
