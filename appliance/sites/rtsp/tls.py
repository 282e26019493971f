"""RTSPS and HTTPS: a camera's certificate is verified against the system's authorities, or is the one that was pinned.

Most cameras made their certificate themselves.  Then the error names its fingerprint, and whoever has compared that
with what the camera shows pins it.  Nothing else is sent to a camera before its certificate is known.
"""

from __future__ import annotations

import hashlib
import ssl
from hmac import compare_digest
from typing import TYPE_CHECKING

import trio

from appliance.sites.rtsp.errors import BadMessage, NoAnswer, RtspError
from appliance.sites.rtsp.options import show_fingerprint

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from appliance.sites.rtsp.urls import RtspUrl

HANDSHAKE_WITHIN_S = 5.0
_PIN = "Compare it with the one that the camera shows, then put #fingerprint=… with it behind the address."


class Untrusted(RtspError):
    """The camera's certificate is not one to be believed; ``fingerprint`` is its SHA-256."""

    def __init__(self, message: str, hint: str, fingerprint: str) -> None:
        super().__init__(message, hint)
        self.fingerprint = fingerprint


class Trust:
    """What certificates are checked against.  Reading the system's authorities takes a while: once, in a thread."""

    def __init__(self, make: Callable[[], ssl.SSLContext] = ssl.create_default_context) -> None:
        self._make = make
        self._verifying: ssl.SSLContext | None = None

    async def verifying(self) -> ssl.SSLContext:
        if self._verifying is None:
            self._verifying = await trio.to_thread.run_sync(self._make)
        return self._verifying

    @staticmethod
    def looking() -> ssl.SSLContext:
        """For those of which the certificate itself is looked at afterwards."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context


async def open_tls(
    open_stream: Callable[[], Awaitable[trio.abc.Stream]], url: RtspUrl, fingerprint: str | None, trust: Trust
) -> trio.abc.Stream:
    """A stream to a camera that is who it should be.  Raises `Untrusted`, `RtspError`, OSError."""
    if fingerprint is not None:
        stream = await _shake_hands(await open_stream(), url, trust.looking())
        found = _fingerprint(stream)
        if not compare_digest(found, fingerprint):
            await trio.aclose_forcefully(stream)
            raise Untrusted(
                "The camera shows another certificate than the pinned one. Its fingerprint is "
                f"{show_fingerprint(found)}.",
                f"Somebody may be in between. If the camera has a new certificate: {_PIN}",
                found,
            )
        return stream
    try:
        return await _shake_hands(await open_stream(), url, await trust.verifying())
    except ssl.SSLCertVerificationError as error:
        why = error.verify_message.rstrip(".")
    # the failed handshake does not tell which certificate it was
    stream = await _shake_hands(await open_stream(), url, trust.looking())
    found = _fingerprint(stream)
    await trio.aclose_forcefully(stream)
    raise Untrusted(
        f"The camera's certificate cannot be verified ({why}). Its fingerprint is {show_fingerprint(found)}.",
        _PIN,
        found,
    )


async def _shake_hands(
    stream: trio.abc.Stream, url: RtspUrl, context: ssl.SSLContext
) -> trio.SSLStream[trio.abc.Stream]:
    secured = trio.SSLStream(stream, context, server_hostname=url.host, https_compatible=True)
    try:
        with trio.move_on_after(HANDSHAKE_WITHIN_S):
            await secured.do_handshake()
            return secured
    except trio.BrokenResourceError as error:
        await trio.aclose_forcefully(stream)
        if isinstance(error.__cause__, ssl.SSLCertVerificationError):
            raise error.__cause__ from None
        raise BadMessage("What answers there does not speak TLS.", _port_hint(url)) from error
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    await trio.aclose_forcefully(stream)
    raise NoAnswer("The camera does not answer with TLS.", _port_hint(url))


def _fingerprint(stream: trio.SSLStream[trio.abc.Stream]) -> str:
    certificate = stream.getpeercert(binary_form=True)
    assert certificate is not None  # a server always shows one (RFC 8446 §4.4.2)
    return hashlib.sha256(certificate).hexdigest()


def _port_hint(url: RtspUrl) -> str:
    return f"Check the port: {url.scheme.upper()} is usually on {url.default_port}."
