"""Whose word is taken for who the client is."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.serve.proxies import Client, client_address

TRUSTED = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


def forwarded(*values: str, proto: str | None = None) -> list[tuple[bytes, bytes]]:
    headers = [(b"host", b"a"), *((b"x-forwarded-for", value.encode()) for value in values)]
    return headers if proto is None else [*headers, (b"x-forwarded-proto", proto.encode())]


@pytest.mark.parametrize(
    ("peer", "headers", "client"),
    [
        ("192.0.2.9", forwarded("203.0.113.5", proto="https"), Client("192.0.2.9", None)),
        ("10.0.0.1", forwarded("203.0.113.5", proto="https"), Client("203.0.113.5", True)),
        ("10.0.0.1", forwarded("203.0.113.5", proto="http"), Client("203.0.113.5", False)),
        ("10.0.0.1", forwarded(), Client("10.0.0.1", None)),
        ("10.0.0.1", forwarded("6.6.6.6, 203.0.113.5"), Client("203.0.113.5", None)),
        ("10.0.0.1", forwarded("6.6.6.6", "203.0.113.5, 10.0.0.2"), Client("203.0.113.5", None)),
        ("10.0.0.1", forwarded("10.0.0.3, 10.0.0.2"), Client("10.0.0.3", None)),
        ("10.0.0.1", forwarded("6.6.6.6, unknown, 10.0.0.2"), Client("10.0.0.2", None)),
        ("10.0.0.1", forwarded("203.0.113.5:4711"), Client("203.0.113.5", None)),
        ("10.0.0.1", forwarded("[2001:db8::1]:4711"), Client("2001:db8::1", None)),
        ("10.0.0.1", forwarded("::ffff:203.0.113.5"), Client("203.0.113.5", None)),
        ("fd00::1", forwarded("2001:db8::1"), Client("2001:db8::1", None)),
        ("10.0.0.1", forwarded("203.0.113.5", proto="http, https"), Client("203.0.113.5", True)),
        ("10.0.0.1", forwarded("203.0.113.5", proto="gopher"), Client("203.0.113.5", None)),
        ("local", forwarded("203.0.113.5"), Client("local", None)),
    ],
)
def test_a16_only_a_trusted_proxy_is_believed(peer: str, headers: list[tuple[bytes, bytes]], client: Client) -> None:
    assert client_address(peer, headers, TRUSTED) == client


def test_without_trusted_proxies_nobody_is_believed() -> None:
    assert client_address("10.0.0.1", forwarded("203.0.113.5"), []) == Client("10.0.0.1", None)


ENTRIES = st.one_of(st.ip_addresses().map(str), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))


@given(invented=st.lists(ENTRIES, max_size=30), real=st.ip_addresses(network="203.0.113.0/24").map(str))
def test_nothing_a_client_invents_changes_who_it_is(invented: list[str], real: str) -> None:
    header = ",".join([*(entry.replace(",", "") for entry in invented), real]).encode("utf-8")
    assert client_address("10.0.0.1", [(b"x-forwarded-for", header)], TRUSTED).address == real
