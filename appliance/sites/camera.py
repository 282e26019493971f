"""A camera as it is set up, and what a change of addresses and credentials makes of it.  Pure.

Credentials belong to a host: they stay while it does, a sub stream of the same host shares them, and another host
never gets them (abuse A11).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from appliance.base.ids import new_id
from appliance.base.secrets import Secret, redact
from appliance.media.masks import NO_MASK, Mask
from appliance.media.recording_rules import NOT_RECORDED, RecordingRules
from appliance.sites.addresses import (
    CameraAddress,
    check_password,
    check_username,
    validate_camera_url,
    with_options,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Names of the streams by ordinal, the largest first.
STREAM_NAMES: Final = ("main", "sub")


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """One stream of a camera.  Prints neither credentials nor address (a path may hold a password, too)."""

    id: str
    ordinal: int  # 0 is the largest
    url: str = field(repr=False)  # without user name and password
    username: str = field(default="", repr=False)
    password: Secret | None = None
    credentials_lost: bool = False  # they are in the store, and its key does not open them: enter them again

    @property
    def name(self) -> str:
        return STREAM_NAMES[self.ordinal] if self.ordinal < len(STREAM_NAMES) else f"stream {self.ordinal}"

    @property
    def shown_url(self) -> str:
        """The address for people to see, without what looks like a password in its path."""
        return redact(self.url)


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera as it is set up."""

    id: str
    site_id: str
    name: str
    position: int
    streams: tuple[StreamConfig, ...]
    mask: Mask = NO_MASK  # what users without the right `unmasked` do not see
    recording: RecordingRules = NOT_RECORDED


def configured(
    old: tuple[StreamConfig, ...],
    url: str | None,
    sub: str | None,
    username: str | None,
    password: Secret | None,
    *,
    local: bool,
    transport: str | None = None,
    fingerprint: str | None = None,
) -> tuple[StreamConfig, ...]:
    """The streams of a camera after a change of them.  An id goes with its ordinal."""
    streams = _configured(old, url, sub, username, password, local=local)
    if transport is None and fingerprint is None:
        return streams
    host = host_of(streams[0].url)
    return tuple(
        replace(stream, url=with_options(stream.url, transport, fingerprint)) if host_of(stream.url) == host else stream
        for stream in streams
    )


def _configured(
    old: tuple[StreamConfig, ...],
    url: str | None,
    sub: str | None,
    username: str | None,
    password: Secret | None,
    *,
    local: bool,
) -> tuple[StreamConfig, ...]:
    if username is not None:
        check_username(username)
    if password is not None:
        check_password(password)

    def read(text: str, field: str) -> CameraAddress:
        return validate_camera_url(text, local=local, field=field)

    old_main, old_sub = (*old, None, None)[:2]
    if url is None:
        assert old_main is not None
        main = _with(old_main, username, password)
    else:
        main = _stream(0, read(url, "url"), [old_main], username, password)
    if sub == "" or (sub is None and old_sub is None):
        return (main, *old[2:])
    if sub is not None:
        smaller = _stream(1, read(sub, "sub"), [old_sub, main], None, None, new_main=main)
    else:
        assert old_sub is not None
        smaller = old_sub
    same_host = host_of(smaller.url) == host_of(main.url)
    followed = old_main is not None and old_sub is not None and _credentials(old_sub) == _credentials(old_main)
    if sub is None and same_host and followed:  # it had those of the main stream, and goes on to
        smaller = replace(
            smaller, username=main.username, password=main.password, credentials_lost=main.credentials_lost
        )
    elif same_host:
        smaller = _with(smaller, username, password)
    return (main, smaller, *old[2:])


def _stream(
    ordinal: int,
    address: CameraAddress,
    earlier: Iterable[StreamConfig | None],
    username: str | None,
    password: Secret | None,
    new_main: StreamConfig | None = None,
) -> StreamConfig:
    """A stream at a new address: its credentials are those in it, else those that the same host had before."""
    known = [stream for stream in earlier if stream is not None]
    ids = [stream.id for stream in known if stream is not new_main]
    stream = StreamConfig(ids[0] if ids else new_id(), ordinal, address.url)
    same_host = next((each for each in known if host_of(each.url) == address.host), None)
    if address.username is not None:
        stream = replace(stream, username=address.username, password=address.password)
    elif same_host is not None:
        stream = replace(
            stream,
            username=same_host.username,
            password=same_host.password,
            # what cannot be read cannot be given to another stream either
            credentials_lost=same_host.credentials_lost and same_host.id == stream.id,
        )
    return _with(stream, username, password)


def _with(stream: StreamConfig, username: str | None, password: Secret | None) -> StreamConfig:
    """The stream with the credentials that were given; an empty one takes away."""
    if username is not None:
        stream = replace(stream, username=username)
    if password is not None:
        stream = replace(stream, password=password or None, credentials_lost=False)
    return stream


def _credentials(stream: StreamConfig) -> tuple[str, Secret | None, bool]:
    return stream.username, stream.password, stream.credentials_lost


def host_of(url: str) -> str:
    """The canonical host of a kept address; "" for a demo stream."""
    return validate_camera_url(url, local=True).host
