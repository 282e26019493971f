"""What an `RtspClient` tells its driver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.sites.rtsp.messages import Packets

if TYPE_CHECKING:
    from appliance.sites.rtsp.errors import Refused, RtspError
    from appliance.sites.rtsp.sdp import Description, Media
    from appliance.sites.rtsp.transport import RtpInfo, Transport


@dataclass(frozen=True, slots=True)
class Capable:
    """OPTIONS was answered; which methods the camera names."""

    methods: frozenset[str]


@dataclass(frozen=True, slots=True)
class Described:
    """DESCRIBE was answered."""

    description: Description


@dataclass(frozen=True, slots=True)
class TrackReady:
    """SETUP of a track was answered."""

    media: Media
    transport: Transport


@dataclass(frozen=True, slots=True)
class TcpRefused:
    """The first SETUP over this connection was refused with 461; over UDP it may work."""

    error: Refused


@dataclass(frozen=True, slots=True)
class TrackRefused:
    """SETUP of a track that we can do without was refused."""

    media: Media
    error: RtspError


@dataclass(frozen=True, slots=True)
class Playing:
    """PLAY was answered."""

    rtp_info: list[RtpInfo]


@dataclass(frozen=True, slots=True)
class TornDown:
    """TEARDOWN was answered, with whatever."""


Event = Capable | Described | TrackReady | TcpRefused | TrackRefused | Playing | TornDown | Packets
