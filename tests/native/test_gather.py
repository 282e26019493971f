"""The kernel that gathers samples writes what its twin writes."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance._native.gather import gather
from tests.reference import gather as reference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZE = 300_000
INSERTS = (b"", b"\0\0\0\1set", b"x" * 300)


@pytest.fixture(scope="module")
def fd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A file in which lengths of NAL units are likely."""
    path: Path = tmp_path_factory.mktemp("gather") / "file"
    rng = np.random.default_rng(7)
    path.write_bytes(rng.choice(np.array([0, 0, 0, 0, 1, 5, 200], np.uint8), SIZE).tobytes())
    opened = os.open(path, os.O_RDONLY)
    yield opened
    os.close(opened)


ROW = st.tuples(
    st.integers(0, 6000) | st.integers(0, SIZE - 3000), st.integers(0, 3000), st.integers(0, 2), st.integers(0, 1)
)


def columns(rows: list[tuple[int, int, int, int]], stride: int) -> tuple[np.ndarray, ...]:
    offset, size, insert, codes = (np.array(each) for each in zip(*rows, strict=True))
    heads = np.arange(len(rows) * stride).reshape(len(rows), stride).astype(np.uint8)
    return offset.astype(np.int64), size.astype(np.int32), heads, insert.astype(np.uint8), codes.astype(np.uint8)


@given(st.lists(ROW, min_size=1, max_size=40), st.integers(0, 9), st.sampled_from([1, 2]), st.booleans(), st.data())
def test_native_agrees_with_the_reference(fd, rows, stride, align, in_order, data) -> None:
    offset, size, heads, insert, codes = columns(sorted(rows) if in_order else rows, stride)
    first = data.draw(st.integers(0, len(rows)))
    last = data.draw(st.integers(first, len(rows)))
    outs = bytearray(200_000), bytearray(200_000)
    wrote = [
        function(fd, out, offset, size, heads, insert, INSERTS, codes, first, last, align)
        for function, out in zip((gather, reference.gather), outs, strict=True)
    ]
    assert wrote[0] == wrote[1]
    assert outs[0] == outs[1]


def test_thousands_of_samples_one_behind_the_other(fd) -> None:
    """More than one system call takes, with what stands between them, and a stretch left out."""
    rows = [(n * 40 + (100_000 if n > 2000 else 0), 29, 0, 0) for n in range(4000)]
    offset, size, heads, insert, codes = columns(rows, 8)
    outs = bytearray(4000 * 37), bytearray(4000 * 37)
    for function, out in zip((gather, reference.gather), outs, strict=True):
        assert function(fd, out, offset, size, heads, insert, INSERTS, codes, 0, 4000, 1) == 4000 * 37
    assert outs[0] == outs[1]


def test_what_cannot_be_is_refused(fd) -> None:
    offset, size, heads, insert, codes = columns([(SIZE - 10, 20, 0, 0), (0, 20, 2, 0)], 4)

    def call(first: int = 1, last: int = 2, out: int = 1000, inserts: tuple[bytes, ...] = INSERTS, at: int = fd) -> int:
        return gather(at, bytearray(out), offset, size, heads, insert, inserts, codes, first, last, 1)

    assert call() == 324
    with pytest.raises(EOFError, match="ends before"):
        call(first=0)
    with pytest.raises(OSError, match="cannot be read"):
        call(at=-1)
    for wrong in ({"last": 3}, {"first": -1}, {"out": 323}, {"inserts": (b"",)}):
        with pytest.raises(ValueError, match="row"):
            call(**wrong)
    with pytest.raises(TypeError):
        call(inserts=(b"", "text", b""))  # type: ignore[arg-type]


def test_many_threads_at_once_do_not_disturb_each_other(fd) -> None:
    offset, size, heads, insert, codes = columns([(n * 113, 100, n % 3, n % 2) for n in range(1000)], 4)
    wanted = bytearray(400_000)
    total = reference.gather(fd, wanted, offset, size, heads, insert, INSERTS, codes, 0, 1000, 2)
    wrong = []

    def work() -> None:
        for _ in range(50):
            out = bytearray(400_000)
            if gather(fd, out, offset, size, heads, insert, INSERTS, codes, 0, 1000, 2) != total or out != wanted:
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not wrong
