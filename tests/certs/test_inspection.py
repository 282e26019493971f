"""Which names a certificate covers, as clients see it."""

from __future__ import annotations

import pytest

from appliance.certs.inspection import covers


@pytest.mark.parametrize(
    ("certified", "host", "expected"),
    [
        ("cam.example.org", "cam.example.org", True),
        ("cam.example.org", "CAM.example.org.", True),
        ("cam.example.org", "example.org", False),
        ("*.example.org", "cam.example.org", True),
        ("*.example.org", "a.cam.example.org", False),
        ("*.example.org", "example.org", False),
        ("192.0.2.7", "192.0.2.7", True),
        ("*.0.2.7", "192.0.2.7", False),
        ("2001:db8::1", "2001:0db8::0001", True),
        ("2001:db8::1", "2001:db8::2", False),
        ("münchen.example", "xn--mnchen-3ya.example", True),
        ("cam.example.org", "no host at all", False),
    ],
)
def test_names_are_matched_as_clients_do(certified: str, host: str, *, expected: bool) -> None:
    assert covers([certified], host) is expected
