"""What a person types becomes a target, or a fault that names the field."""

from __future__ import annotations

import pytest

from appliance.base.faults import Fault, Kind
from appliance.base.secrets import Secret
from appliance.sites.rtsp.target import RtspTarget


def test_credentials_in_the_address_are_taken_out_of_it() -> None:
    target = RtspTarget.from_url("rtsp://admin:top%20secret@cam/live?password=path-secret")
    assert (str(target.url), target.username) == ("rtsp://cam/live?password=path-secret", "admin")
    assert target.password == Secret("top secret")
    assert "secret" not in repr(target).replace("Secret", "")


def test_credentials_given_apart_count_first() -> None:
    target = RtspTarget.from_url("rtsp://admin:old@cam/live", "viewer", Secret("new"))
    assert (target.username, target.password) == ("viewer", Secret("new"))


@pytest.mark.parametrize(
    ("url", "username", "password", "code", "field"),
    [
        ("ftp://cam/canary", "", "", "invalid_url", "url"),
        ("rtsp://cam:99999/canary", "", "", "invalid_url", "url"),
        ("rtsp://cam/", "canary\n", "", "invalid_credentials", "username"),
        ("rtsp://cam/", "canary" * 30, "", "invalid_credentials", "username"),
        ("rtsp://cam/", "u", "canary\0", "invalid_credentials", "password"),
        ("rtsp://cam/", "u", "canary" * 50, "invalid_credentials", "password"),
        ("rtsp://canary%0d%0a:x@cam/", "", "", "invalid_credentials", "username"),
    ],
)
def test_what_cannot_be_is_a_fault_without_what_was_typed(url, username, password, code, field) -> None:
    with pytest.raises(Fault) as caught:
        RtspTarget.from_url(url, username, Secret(password))
    assert (caught.value.kind, caught.value.code, caught.value.field) == (Kind.INVALID, code, field)
    assert "canary" not in str(caught.value)
