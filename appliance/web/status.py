"""Status, active users, metrics, health (rows STA-1, STA-2)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import trio
from quart import Response

from appliance import __version__
from appliance.auth.rights import Right
from appliance.base.clock import to_rfc3339
from appliance.settings.tabs import GeneralTab, PerformanceTab
from appliance.status.board import Attention, Severity
from appliance.status.metrics import CONTENT_TYPE, Series, render
from appliance.web.capacity import CapacityView, capacity_view
from appliance.web.table import Access, Route
from appliance.web.transcoding import HardwareView, TranscoderView, hardware_view, transcoder_series, transcoder_view

if TYPE_CHECKING:
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services


class AttentionView(msgspec.Struct):
    """Something to look at; ``code`` is stable, and ``details`` are what the message names: which user, which date."""

    code: str
    message: str
    hint: str
    severity: str
    details: dict[str, str | int]


class CertificateView(msgspec.Struct):
    names: list[str]
    issuer: str
    not_after: str
    fingerprint: str
    source: str  # own or local


class CameraCounts(msgspec.Struct):
    ok: int = 0
    waiting: int = 0
    lost: int = 0
    unknown: int = 0


class LevelView(msgspec.Struct):
    """What limits transcoded pictures: the level in force (rows PER-2 to PER-4) and what it allows, None: anything.

    ``cpu_percent`` and ``kbps``: the load that is compared with the thresholds, evened out over ten seconds.
    """

    number: int
    max_fps: float | None
    max_width: int | None
    max_height: int | None
    cpu_percent: float
    kbps: float


class StatusView(msgspec.Struct):
    """How the server is.  Shares are 0–1; rates in bytes a second; ``cores`` the processor time of this program.

    ``capacity`` null: not measured yet, run ``fanal bench``.
    """

    name: str
    version: str
    running_since: str
    cpu: float | None
    cores: float | None
    memory: int | None
    sent: float | None
    users: int
    viewers: int
    streams_open: int
    cameras: CameraCounts
    workers: int
    isolation: dict[str, str | None]
    certificate: CertificateView | None
    attention: list[AttentionView]
    transcoders: list[TranscoderView]
    level: LevelView
    workers_died: int
    workers_hung: int
    hardware_decoding: HardwareView
    capacity: CapacityView | None = None


class HistoryView(msgspec.Struct):
    """One entry every five seconds, the last hour: seconds ago, share of all cores, bytes a second."""

    ago_s: list[float]
    cpu: list[float]
    sent: list[float]


class ActiveUser(msgspec.Struct):
    """Row STA-2.  ``state``: logged_in; rates in kB/s."""

    name: str
    state: str
    sessions: int
    video_kbytes: float
    direct_streams: int
    audio_streams: int
    transcoded_streams: int


class ActiveUsers(msgspec.Struct):
    users: list[ActiveUser]


class StatusRoutes:
    """The routes of this module."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def add_to(self, gate: Gate) -> None:
        for route in (
            Route(
                "healthz", "GET", "/healthz", Access.PUBLIC, self.health, "Whether it serves", media_type="text/plain"
            ),
            Route(
                "metrics",
                "GET",
                "/metrics",
                Access.METRICS,
                self.metrics,
                "Metrics for Prometheus",
                media_type="text/plain",
            ),
            Route(
                "status", "GET", "/api/v1/status", Right.ADMINISTER, self.status, "How the server is", answer=StatusView
            ),
            Route(
                "status_history",
                "GET",
                "/api/v1/status/history",
                Right.ADMINISTER,
                self.history,
                "Load over the last hour",
                answer=HistoryView,
            ),
            Route(
                "status_users",
                "GET",
                "/api/v1/status/users",
                Right.ADMINISTER,
                self.users,
                "Who is connected",
                answer=ActiveUsers,
            ),
        ):
            gate.add(route)

    async def health(self, _call: Call) -> Response:
        return Response("ok\n", content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})

    async def status(self, _call: Call) -> StatusView:
        services = self._services
        latest = services.load.latest
        users = {
            session.user_id for user in services.auth.users.list() for session in services.sessions.of_user(user.id)
        }
        return StatusView(
            name=services.settings.tab(GeneralTab).server_name,
            version=__version__,
            running_since=to_rfc3339(services.board.started_at),
            cpu=None if latest is None else round(latest.machine, 3),
            cores=None if latest is None else round(latest.own, 3),
            memory=None if latest is None else latest.memory,
            sent=None if latest is None else round(latest.sent),
            users=len(users),
            viewers=len(services.audience),
            streams_open=len(services.directory.hubs),
            cameras=self._counts(),
            workers=len(services.pool.workers),
            isolation=services.pool.isolation,
            certificate=self._certificate(),
            attention=[
                AttentionView(item.code, item.message, item.hint, item.severity.value, dict(item.details))
                for item in self._attention()
            ],
            transcoders=[transcoder_view(each) for each in services.transcoders],
            level=self._level(),
            workers_died=services.transcoders.crew.died,
            workers_hung=services.transcoders.crew.hung,
            hardware_decoding=hardware_view(services.transcoders, services.settings.tab(PerformanceTab)),
            capacity=capacity_view(services),
        )

    async def history(self, _call: Call) -> HistoryView:
        now = trio.current_time()
        samples = list(self._services.load.history)
        return HistoryView(
            [round(now - sample.at, 1) for sample in samples],
            [round(sample.machine, 3) for sample in samples],
            [round(sample.sent) for sample in samples],
        )

    async def users(self, _call: Call) -> ActiveUsers:
        services = self._services
        now = trio.current_time()
        rows = []
        for user in services.auth.users.list():
            sessions = services.sessions.of_user(user.id)
            members = [member for member in services.audience if member.principal.user_id == user.id]
            guests = [guest for guest in services.audience.guests if guest.principal.user_id == user.id]
            if not sessions and not members and not guests:
                continue
            rate = sum(member.bytes_per_second(now) for member in members)
            rate += sum(guest.bytes_per_second(now) for guest in guests)
            showing = [member for member in members if member.viewer.showing is not None]
            transcoded = sum(member.viewer.is_transcoded for member in showing)
            rows.append(
                ActiveUser(
                    name=user.name,
                    state="logged_in",
                    sessions=len(sessions),
                    video_kbytes=round(rate / 1000, 1),
                    direct_streams=len(showing) - transcoded + len(guests),
                    audio_streams=sum(member.outlet.audio for member in showing) + sum(guest.sound for guest in guests),
                    transcoded_streams=transcoded,
                )
            )
        return ActiveUsers(rows)

    async def metrics(self, _call: Call) -> Response:
        text = await trio.to_thread.run_sync(render, self._series())
        return Response(text, content_type=CONTENT_TYPE)

    def _counts(self) -> CameraCounts:
        states = [self._services.directory.state(camera.id).state for camera in self._services.cameras.list()]
        return CameraCounts(**{state: states.count(state) for state in ("ok", "waiting", "lost", "unknown")})

    def _level(self) -> LevelView:
        levels = self._services.levels
        width, height = levels.limit.max_size or (None, None)
        return LevelView(
            levels.number, levels.limit.max_fps, width, height, round(levels.cpu_percent, 1), round(levels.kbps)
        )

    def _certificate(self) -> CertificateView | None:
        if self._services.tls is None:
            return None
        state = self._services.tls.state.value
        certificate = state.certificate
        return CertificateView(
            names=list(certificate.names),
            issuer=certificate.issuer,
            not_after=certificate.not_after.isoformat().replace("+00:00", "Z"),
            fingerprint=certificate.fingerprint_sha256,
            source=state.source,
        )

    def _attention(self) -> list[Attention]:
        """What rooms put on the board, and what is seen from here."""
        services = self._services
        found = services.board.attention
        found += [
            Attention(
                "first_password",
                f"“{user.name}” still has the first password.",
                "Change it.",
                Severity.URGENT,
                {"user": user.name},
            )
            for user in services.auth.users.list()
            if user.must_change and not user.disabled
        ]
        if services.tls is not None:
            state = services.tls.state.value
            found += [Attention(each.code, each.message, each.hint, details=each.details) for each in state.problems]
            if state.warning is not None:
                found.append(
                    Attention(
                        "certificate_ends",
                        f"The certificate ends on {state.certificate.not_after.date()}.",
                        "Install a new one.",
                        Severity.URGENT if state.warning <= 1 else Severity.NOTICE,
                        {"day": str(state.certificate.not_after.date())},
                    )
                )
        else:
            found.append(
                Attention("not_encrypted", "Connections are not encrypted.", "Use HTTPS for anything but this machine.")
            )
        kept = [name for name, why in services.pool.isolation.items() if why is not None]
        if kept:
            found.append(
                Attention(
                    "worker_isolation",
                    f"Media workers could not give up: {', '.join(kept)}.",
                    "Run on a kernel with Landlock and namespaces, or as the service.",
                    details={"kept": ", ".join(kept)},
                )
            )
        return sorted(found, key=lambda item: item.severity is not Severity.URGENT)

    def _series(self) -> list[Series]:
        services = self._services
        latest = services.load.latest
        hubs = [(hub.name, hub) for hub in services.directory.hubs]
        counts = msgspec.structs.asdict(self._counts())
        return [
            Series("fanal_info", "Version.", {(__version__,): 1}, ("version",)),
            Series("fanal_cameras", "Cameras by state.", {(state,): n for state, n in counts.items()}, ("state",)),
            Series("fanal_viewers", "Live views open.", {(): len(services.audience)}),
            Series("fanal_sessions", "Signed-in sessions.", {(): len(services.sessions)}),
            Series("fanal_streams_open", "Camera streams being pulled.", {(): len(hubs)}),
            Series(
                "fanal_sent_bytes", "Media bytes to clients.", {(): services.audience.bytes_sent}, (), is_counter=True
            ),
            Series(
                "fanal_pictures",
                "Pictures received.",
                {(name,): hub.pictures for name, hub in hubs},
                ("stream",),
                is_counter=True,
            ),
            Series(
                "fanal_packets_lost",
                "Packets that the network lost.",
                {(name,): hub.source_statistics.packets_lost for name, hub in hubs if hub.source_statistics},
                ("stream",),
                is_counter=True,
            ),
            Series(
                "fanal_pictures_dropped",
                "Pictures that could not be decoded after a loss.",
                {(name,): hub.source_statistics.units_dropped for name, hub in hubs if hub.source_statistics},
                ("stream",),
                is_counter=True,
            ),
            Series(
                "fanal_reconnects",
                "Connections to the camera after the first.",
                {(name,): max(0, hub.reconnects) for name, hub in hubs},
                ("stream",),
                is_counter=True,
            ),
            Series(
                "fanal_workers_replaced", "Media workers that died.", {(): services.pool.replaced}, (), is_counter=True
            ),
            *transcoder_series(services.transcoders),
            Series("fanal_level", "The level that limits transcoded pictures.", {(): services.levels.number}),
            Series("fanal_cpu_cores", "Cores used by this program.", {(): latest.own if latest else 0}),
            Series("fanal_resident_bytes", "Memory of the main process.", {(): latest.memory if latest else 0}),
            Series("fanal_tasks", "Tasks of the event loop.", {(): trio.lowlevel.current_statistics().tasks_living}),
            Series("fanal_open_files", "Open file descriptors.", {(): len(list(Path("/proc/self/fd").iterdir()))}),
        ]
