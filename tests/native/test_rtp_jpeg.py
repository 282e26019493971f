"""The JPEG kernel does what its twin does (RFC 2435)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance._native import rtp
from tests.reference import rtp as reference
from tests.reference.agree import counters
from tests.reference.packets import jpeg
from tests.reference.packets import rtp as packet

BOTH = pytest.mark.parametrize("kernel", [reference, rtp], ids=["reference", "native"])
SCAN = bytes(range(250)) * 2
TABLES = bytes(range(1, 129))
HEADER = (0, 1, 50, 80, 60, 0, 0, None, b"")


def run(kernel, packets, **limits):
    depacketizer = kernel.JpegDepacketizer(26, **limits)
    units = [unit for data in packets for unit in depacketizer.push(data, 0, len(data)) or ()]
    return units, depacketizer


def numbered(*pictures, marker=True, start=0, payload_type=26):
    """The packets of pictures, each a list of payloads, 3000 ticks apart."""
    found = []
    for number, payloads in enumerate(pictures):
        for n, payload in enumerate(payloads):
            last = n == len(payloads) - 1
            found.append(
                packet(
                    payload, sequence=start + len(found), time=number * 3000, marker=marker and last,
                    payload_type=payload_type,
                )
            )  # fmt: skip
    return found


@BOTH
def test_fragments_become_a_picture_at_its_marker(kernel) -> None:
    units, depacketizer = run(kernel, numbered(jpeg(SCAN, 100), jpeg(SCAN[:50], 100)))
    assert units == [(SCAN, 0, 0, HEADER), (SCAN[:50], 3000, 0, HEADER)]
    assert (depacketizer.received, depacketizer.dropped, depacketizer.oddities) == (6, 0, 0)


@BOTH
@pytest.mark.parametrize(
    ("said", "header"),
    [
        ({"q": 255, "tables": TABLES}, (0, 1, 255, 80, 60, 0, 0, TABLES, b"")),
        ({"q": 200, "tables": b""}, (0, 1, 200, 80, 60, 0, 0, b"", b"")),
        ({"q": 128, "tables": TABLES * 2, "precision": 3}, (0, 1, 128, 80, 60, 0, 3, TABLES * 2, b"")),
        ({"kind": 65, "restart": 40}, (0, 65, 50, 80, 60, 40, 0, None, b"")),
        (
            {"kind": 64, "restart": 7, "q": 255, "tables": TABLES, "specific": 3, "width": 0, "height": 0},
            (3, 64, 255, 0, 0, 7, 0, TABLES, b""),
        ),
    ],
)
def test_the_headers_of_the_first_fragment_are_kept(kernel, said, header) -> None:
    units, _ = run(kernel, numbered(jpeg(SCAN, 64, **said)))
    assert units == [(SCAN, 0, 0, header)]


@BOTH
@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_picture_that_lacks_a_fragment_is_not_given_out(kernel, lost) -> None:
    packets = numbered(*[jpeg(SCAN, 200)] * 3)
    del packets[3 + lost]
    units, depacketizer = run(kernel, packets)
    assert [(at, flags) for _, at, flags, _ in units] == [(0, 0), (6000, kernel.LOSS)]
    assert (depacketizer.dropped, depacketizer.lost, depacketizer.oddities) == (1, 1, 0)


@BOTH
def test_what_began_before_we_came_is_no_loss(kernel) -> None:
    units, depacketizer = run(kernel, numbered(*[jpeg(SCAN, 200)] * 2)[1:])
    assert [unit[1] for unit in units] == [3000]
    assert depacketizer.dropped == 0


@BOTH
def test_without_markers_a_picture_ends_where_the_next_one_begins(kernel) -> None:
    units, depacketizer = run(kernel, numbered(*[jpeg(SCAN, 200)] * 3, marker=False))
    assert [unit[1] for unit in units] == [0, 3000]
    assert depacketizer.oddities == kernel.ODD_NO_MARKER


@BOTH
@pytest.mark.parametrize("profile", [0xFFD8, 0xFFFF])
def test_the_segments_of_the_onvif_extension_are_kept(kernel, profile) -> None:
    first, second = jpeg(SCAN, 250)
    packets = [
        packet(first, payload_type=26, extension=b"\xff\xc0segm", profile=profile),
        packet(second, sequence=1, payload_type=26, extension=b"ent\xff", profile=profile, marker=True),
    ]
    packets[0] = packet(first, payload_type=26, extension=b"\xff\xc0segmen", profile=profile)
    units, _ = run(kernel, packets)
    assert units[0][3][-1] == b"\xff\xc0segmenent\xff"


@BOTH
def test_the_segments_may_stand_behind_the_replay_extension(kernel) -> None:
    behind = bytes(12) + b"\xff\xd8\x00\x01abcd"
    (payload,) = jpeg(SCAN, 500)
    units, _ = run(kernel, [packet(payload, payload_type=26, extension=behind, profile=0xABAC, marker=True)])
    assert units[0][3][-1] == b"abcd"
    behind = bytes(12) + b"\xff\xd8\x00\x02abcd"  # longer than there is
    units, _ = run(kernel, [packet(payload, payload_type=26, extension=behind, profile=0xABAC, marker=True)])
    assert units[0][3][-1] == b""


@BOTH
@pytest.mark.parametrize(
    "payload",
    [
        b"\0\0\0\0\x01\x32\x50",  # shorter than the header
        b"\0\0\0\0\x41\x32\x50\x3c\0\x01",  # restart header cut off
        b"\0\0\0\0\x01\xff\x50\x3c\0\0\0",  # table header cut off
        b"\0\0\0\0\x01\xff\x50\x3c\0\0\0\x81" + TABLES,  # longer tables than there are
        b"\0\0\0\0\x01\x32\x50\x3c",  # no content
    ],
)
def test_cut_off_headers_are_no_picture(kernel, payload) -> None:
    good = jpeg(SCAN, 500)
    units, _ = run(kernel, numbered(good, [payload], good))
    assert [unit[1] for unit in units] == [0, 6000]


@BOTH
def test_a_picture_over_the_limit_is_dropped_and_named(kernel) -> None:
    units, depacketizer = run(kernel, numbered(jpeg(SCAN, 100), jpeg(SCAN * 2, 100), jpeg(SCAN, 100)), unit_limit=500)
    assert [unit[1] for unit in units] == [0, 6000]
    assert (depacketizer.oddities, depacketizer.dropped) == (kernel.ODD_TOO_BIG, 1)


PIECES = st.builds(
    lambda parts, step, marker, extension, profile: (parts, step, marker, extension, profile),
    st.builds(
        jpeg,
        st.binary(min_size=1, max_size=60),
        st.integers(10, 60),
        kind=st.sampled_from((0, 1, 64, 65)),
        q=st.sampled_from((1, 99, 128, 255)),
        restart=st.integers(0, 300),
        tables=st.binary(max_size=20),
    ),
    st.sampled_from((0, 1, 1, 1, 2, 5000, 65535)),
    st.booleans(),
    st.sampled_from((None, b"abcd", b"\xff\xd8\0\1abcd", bytes(12) + b"\xff\xd8\0\1abcd")),
    st.sampled_from((0xFFD8, 0xFFFF, 0xABAC, 0xBEDE)),
)


@given(st.lists(PIECES, max_size=8), st.integers(20, 80), st.lists(st.integers(0, 15), max_size=6))
def test_both_agree_on_whatever_comes(pieces, limit, cuts) -> None:
    packets, sequence = [], 0
    for time, (parts, step, marker, extension, profile) in enumerate(pieces):
        sequence += step
        for n, part in enumerate(parts):
            packets.append(
                packet(
                    part, sequence=sequence + n, time=time // 2, payload_type=26, extension=extension, profile=profile,
                    marker=marker and n == len(parts) - 1,
                )
            )  # fmt: skip
        sequence += len(parts) - 1
    for cut in cuts:
        if cut < len(packets):
            packets[cut] = packets[cut][: 12 + 3 * cut]
    mine, kernel = run(rtp, packets, unit_limit=limit)
    twins, twin = run(reference, packets, unit_limit=limit)
    assert mine == twins
    assert counters(kernel) == counters(twin)
