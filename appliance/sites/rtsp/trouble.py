"""What a failure is to the people who look at the camera: a reason, a sentence, and what to do."""

from __future__ import annotations

import errno
from socket import gaierror
from typing import TYPE_CHECKING

import trio

from appliance.sites.rtsp.errors import (
    BadCredentials,
    BadMessage,
    Ended,
    NoAnswer,
    Redirected,
    Refused,
    RtspError,
    UnsupportedCodec,
)
from appliance.sites.source import SourceError, Trouble

if TYPE_CHECKING:
    from appliance.sites.rtsp.urls import RtspUrl

#: What talking to a camera may raise; anything else is our own mistake.
FAILURES = (RtspError, OSError, trio.BrokenResourceError)

_TROUBLES: tuple[tuple[type[RtspError], Trouble], ...] = (
    (BadCredentials, Trouble.BAD_CREDENTIALS),
    (UnsupportedCodec, Trouble.UNSUPPORTED_CODEC),
    (NoAnswer, Trouble.TIMEOUT),
    (Ended, Trouble.CAMERA_LOST),
    (BadMessage, Trouble.CAMERA_LOST),
)
_REACH = "Check the address and the port, and that the camera is on."
_UNREACHABLE = {errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN}


def explain(error: BaseException, url: RtspUrl) -> SourceError:
    """The error of the source contract for one of `FAILURES`.  No path, user name or password gets into it."""
    if isinstance(error, SourceError):
        return error
    if isinstance(error, RtspError):
        return _of_rtsp(error)
    if isinstance(error, gaierror):
        return SourceError(
            Trouble.NOT_FOUND, f"The name {url.host} is not known in this network.", "Check the address."
        )
    if isinstance(error, ConnectionRefusedError):
        return SourceError(Trouble.REFUSED, f"Nothing answers at {url.place}.", _REACH)
    if isinstance(error, OSError) and error.errno in _UNREACHABLE:
        return SourceError(Trouble.TIMEOUT, f"Nothing answers at {url.place}.", _REACH)
    return SourceError(Trouble.CAMERA_LOST, "The connection to the camera broke.", "It is tried again.")


def _of_rtsp(error: RtspError) -> SourceError:
    if isinstance(error, Refused) and error.code == 404:
        return SourceError(Trouble.NOT_FOUND, "The camera has no stream at this address.", error.hint)
    if isinstance(error, Redirected):
        return SourceError(
            Trouble.REFUSED,
            "The camera sends us on to another host, which is not followed.",
            "Enter the address of that host instead.",
        )
    trouble = next((trouble for kind, trouble in _TROUBLES if isinstance(error, kind)), Trouble.REFUSED)
    return SourceError(trouble, error.message, error.hint)
