"""Every failure has a reason and a sentence that a person can act on, and no secret in it."""

from __future__ import annotations

import errno
from socket import gaierror

import pytest
import trio

from appliance.sites.rtsp.errors import (
    BadCredentials,
    BadMessage,
    Ended,
    NoAnswer,
    Redirected,
    Refused,
    RtspError,
    Unsupported,
    UnsupportedCodec,
)
from appliance.sites.rtsp.trouble import explain
from appliance.sites.rtsp.urls import parse_url
from appliance.sites.source import SourceError, Trouble

URL = parse_url("rtsp://user:canary@192.168.1.9/canary?password=canary").url


@pytest.mark.parametrize(
    ("error", "trouble", "says"),
    [
        (BadCredentials("x"), Trouble.BAD_CREDENTIALS, "x"),
        (UnsupportedCodec("x"), Trouble.UNSUPPORTED_CODEC, "x"),
        (Unsupported("x"), Trouble.REFUSED, "x"),
        (NoAnswer("x"), Trouble.TIMEOUT, "x"),
        (Ended("x"), Trouble.CAMERA_LOST, "x"),
        (BadMessage("x"), Trouble.CAMERA_LOST, "x"),
        (Refused("DESCRIBE", 404, "Not Found", "Check the path."), Trouble.NOT_FOUND, "no stream at this address"),
        (Refused("SETUP", 453, "Not Enough Bandwidth"), Trouble.REFUSED, "SETUP with 453 Not Enough Bandwidth"),
        (Redirected("rtsp://elsewhere/canary"), Trouble.REFUSED, "another host"),
        (RtspError("x"), Trouble.REFUSED, "x"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "canary"), Trouble.REFUSED, "Nothing answers at 192.168.1.9:554"),
        (OSError(errno.EHOSTUNREACH, "canary"), Trouble.TIMEOUT, "Nothing answers at 192.168.1.9:554"),
        (ConnectionResetError(errno.ECONNRESET, "canary"), Trouble.CAMERA_LOST, "broke"),
        (trio.BrokenResourceError("canary"), Trouble.CAMERA_LOST, "broke"),
        (gaierror(-2, "canary"), Trouble.NOT_FOUND, "192.168.1.9 is not known"),
    ],
)
def test_failures_have_a_reason_and_a_sentence(error, trouble, says) -> None:
    explained = explain(error, URL)
    assert explained.trouble == trouble
    assert says in explained.message
    assert "canary" not in str(explained)


def test_what_is_explained_already_stays_as_it_is() -> None:
    error = SourceError(Trouble.TIMEOUT, "x")
    assert explain(error, URL) is error
