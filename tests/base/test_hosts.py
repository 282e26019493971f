from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.hosts import clean_host, is_address


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Cameras.Example.ORG", "cameras.example.org"),
        ("nvr.", "nvr"),
        ("hall_cam-2.local", "hall_cam-2.local"),
        ("Café.example", "xn--caf-dma.example"),
        ("192.168.1.9", "192.168.1.9"),
        ("[2001:DB8:0::1]", "2001:db8::1"),
        ("::1", "::1"),
        ("3com.example", "3com.example"),
    ],
)
def test_a_host_has_one_form(typed: str, kept: str) -> None:
    assert clean_host(typed) == kept


@pytest.mark.parametrize(
    "typed",
    ["", ".", "a..b", "-a", "a-", "a b", "a/b", "a@b", "a%2eb", "a" * 64, "a." * 130, "é" * 300, "[192.168.1.9]",
     "[::1", "fe80::1%eth0", "1.2.3", "1.2.3.4.5", "256.1.1.1", "0x7f.1", "2130706433", "0177.0.0.1", "a.0x1", "a\n"],
)  # fmt: skip
def test_what_is_no_host_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        clean_host(typed)


@given(st.text())
def test_any_text_is_a_host_in_its_one_form_or_refused(text: str) -> None:
    try:
        host = clean_host(text)
    except ValueError:
        return
    assert clean_host(host) == host
    assert host.isascii()
    assert not set(host) & set(" /@?#[]%\r\n\t\\")


@given(st.ip_addresses())
def test_every_address_is_one(address: object) -> None:
    assert clean_host(str(address)) == str(address)
    assert is_address(str(address))
    assert not is_address("example.org")
