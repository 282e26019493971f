"""What the web room is handed: the services of the appliance, by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from hmac import compare_digest
from ipaddress import ip_network
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from appliance.serve.proxies import Client, Network, client_address
from appliance.settings.tabs import ConnectivityTab
from appliance.streams.privacy import mask_for, refuse_native

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from appliance.auth import Auth
    from appliance.auth.rights import Principal, Rights
    from appliance.auth.sessions import Session, Sessions
    from appliance.base.clock import Clock
    from appliance.base.secrets import Secret
    from appliance.base.watch import Broadcast
    from appliance.certs.contexts import TlsHolder
    from appliance.media.masks import Mask
    from appliance.recorder.archive import Archive
    from appliance.recorder.bookmarks import Bookmarks
    from appliance.recorder.checks import Checks
    from appliance.recorder.events import EventBook
    from appliance.recorder.recorder import Recorder
    from appliance.recorder.stock import Stock
    from appliance.serve.connection import Connection
    from appliance.settings.settings import Settings
    from appliance.sites.cameras import Camera, CameraBook
    from appliance.sites.removals import Removals
    from appliance.status.board import Board
    from appliance.status.capacity import Capacity
    from appliance.status.load import Load
    from appliance.streams.audience import Audience, Member
    from appliance.streams.directory import Directory
    from appliance.streams.hls import HlsOutputs
    from appliance.streams.levels import LevelInForce
    from appliance.streams.snapshots import Snapshots
    from appliance.streams.transcoders import Transcoders
    from appliance.streams.trials import Trials
    from appliance.streams.turns import UserTurns
    from appliance.web.pages import Page
    from appliance.workers.pool import Pool


@dataclass
class Services:
    """See the module.  ``tls`` is None where HTTPS is off; then plain HTTP, on loopback only, serves everything."""

    folder: Path
    clock: Clock
    settings: Settings
    auth: Auth
    cameras: CameraBook
    removals: Removals
    bookmarks: Bookmarks
    events: EventBook
    directory: Directory
    audience: Audience
    snapshots: Snapshots
    transcoders: Transcoders
    recorder: Recorder
    archive: Archive  # what it recorded
    checks: Checks  # of it
    turns: UserTurns  # to seek in it
    stock: Stock  # how much that is
    hls: HlsOutputs
    trials: Trials
    pool: Pool
    board: Board
    load: Load
    levels: LevelInForce
    news: Broadcast[object]
    judge: Callable[[Member], None]  # ends a view that is not allowed (any more)
    tls: TlsHolder | None
    metrics_token: Secret
    pages: dict[str, Page]
    own_hosts: Callable[[], Iterable[str]]  # names and addresses by which this machine is reached
    capacity: Capacity | None = None  # as measured; None: not yet
    https_port: int = 0  # the real ones, once it listens; 0: off
    http_port: int = 0
    _proxies: tuple[tuple[str, ...], list[Network]] = field(default=((), []))

    @property
    def rights(self) -> Rights:
        return self.auth.rights

    @property
    def sessions(self) -> Sessions:
        return self.auth.sessions

    def client(self, connection: Connection, headers: Iterable[tuple[bytes, bytes]]) -> Client:
        """The client behind a connection: its address, and whether it came encrypted, as far as can be believed."""
        named = self.settings.tab(ConnectivityTab).trusted_proxies
        if named != self._proxies[0]:
            self._proxies = (named, [ip_network(text) for text in named])
        client = client_address(connection.peer, headers, self._proxies[1])
        return Client(client.address, connection.secure if client.secure is None else client.secure)

    async def authority_fingerprint(self) -> str | None:
        """SHA-256 of the local authority's certificate in groups of four digits, for people to compare."""
        pem = await self.tls.authority_pem() if self.tls is not None else None
        if pem is None:
            return None
        digest = x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex().upper()
        return " ".join(digest[at : at + 4] for at in range(0, len(digest), 4))

    def mask_for(self, principal: Principal, camera: Camera) -> Mask:
        """What is burned into a camera's picture for this user; empty: they may have its video as it is.

        Of the camera as it is set up now, whatever the caller still holds.
        """
        return mask_for(self.rights, principal, self.cameras.find(camera.id) or camera)

    def refuse_native(self, principal: Principal, camera: Camera) -> None:
        """The same where only video as it is would do.  Raises `Fault` ``privacy_mask``."""
        refuse_native(self.rights, principal, self.cameras.find(camera.id) or camera)

    def keep_alive(self, session: Session | None) -> None:
        """A live view counts as use of its session."""
        if session is not None:
            self.sessions.touch(session.id)

    def is_metrics_token(self, token: str) -> bool:
        return bool(token) and compare_digest(token.encode(), self.metrics_token.reveal().encode())
