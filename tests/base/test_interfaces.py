"""The machine's addresses: as another program lists them, and never a crash on what the kernel may say."""

from __future__ import annotations

import struct
from contextlib import suppress
from ipaddress import ip_address

import psutil  # type: ignore[import-untyped]  # it has none
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.interfaces import interface_addresses, parse_addresses


def test_the_list_is_the_one_that_another_program_makes() -> None:
    listed = set()
    for addresses in psutil.net_if_addrs().values():
        for entry in addresses:
            with suppress(ValueError):
                listed.add(ip_address(entry.address))
    ours = interface_addresses()
    assert ip_address("127.0.0.1") in ours
    assert set(ours) <= listed
    for missing in listed - set(ours):
        assert missing.version == 6, f"{missing} is missing"
    assert ours == sorted(ours, key=lambda address: (address.version, int(address)))


def message(family: int, flags: int, *attributes: tuple[int, bytes]) -> bytes:
    body = struct.pack("=BBBBI", family, 24, flags, 0, 1)
    for kind, value in attributes:
        body += struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
    return struct.pack("=IHHII", 16 + len(body), 20, 0, 1, 0) + body


V4, V6 = 2, 10
DONE = struct.pack("=IHHII", 16, 3, 0, 1, 0)


def test_our_end_of_a_point_to_point_link_is_taken() -> None:
    data = message(V4, 0, (1, bytes([10, 0, 0, 2])), (2, bytes([10, 0, 0, 1])))
    assert parse_addresses(data + DONE) == ({ip_address("10.0.0.1")}, True)


def test_addresses_that_do_not_last_are_left_out() -> None:
    wanted, link_local = ip_address("2001:db8::1"), ip_address("fe80::1")
    data = (
        message(V6, 0, (1, wanted.packed))
        + message(V6, 0, (1, link_local.packed))
        + message(V6, 0, (1, ip_address("2001:db8::2").packed), (8, struct.pack("=I", 0x01)))
        + message(V6, 0x40, (1, ip_address("2001:db8::3").packed))
    )
    assert parse_addresses(data) == ({wanted}, False)


@given(
    garbage=st.binary(max_size=60),
    attributes=st.lists(st.tuples(st.integers(0, 9), st.binary(max_size=20)), max_size=4),
    cut=st.integers(0, 100),
)
def test_garbage_is_an_error_of_the_system_or_nothing(
    garbage: bytes, attributes: list[tuple[int, bytes]], cut: int
) -> None:
    for data in (garbage, message(V6, 0, *attributes)[:cut], message(V4, 0, *attributes) + garbage):
        with suppress(OSError):
            parse_addresses(data)
