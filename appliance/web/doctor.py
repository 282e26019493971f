"""What the appliance knows of its own troubles, for ``fanal doctor`` (row MGR-4); the command looks at the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import trio

from appliance.auth.rights import Right
from appliance.base.clock import to_datetime
from appliance.base.faults import Fault
from appliance.certs.inspection import CHECK as CERTIFICATE
from appliance.certs.inspection import check_certificate, read_state
from appliance.settings.tabs import ConnectivityTab, PerformanceTab
from appliance.sites.addresses import DEMO_SCHEME
from appliance.sites.source import Trouble
from appliance.status.findings import Finding, action, notice, well
from appliance.web.table import Route
from appliance.web.transcoding import hardware_view

if TYPE_CHECKING:
    from appliance.sites.cameras import Camera
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services

#: A camera that has not said anything by then will not.
LOOKING_S: Final = 20.0
_SET = "fanal camera set “{}”"
REMEDIES: Final = {
    Trouble.BAD_CREDENTIALS: f"Correct them: {_SET} username=… password=…",
    Trouble.NOT_FOUND: f"Look up the path of the stream in the camera's own pages: {_SET} url=…",
    Trouble.REFUSED: f"Turn RTSP on in the camera, or correct the port: {_SET} url=…",
    Trouble.TIMEOUT: f"See whether it is on and in the network, or correct its address: {_SET} url=…",
    Trouble.UNSUPPORTED_CODEC: "Set the camera to H.264.",
}
_OTHERWISE: Final = "See whether it is on and in the network; the log says more."


class FindingView(msgspec.Struct):
    """``level``: well, notice or action; ``code`` is stable."""

    check: str
    code: str
    level: str
    message: str
    remedy: str


class DoctorView(msgspec.Struct):
    """``listening``: the ports that are served now; ``configured``: those of the settings.  0 is off."""

    findings: list[FindingView]
    listening: dict[str, int]
    configured: dict[str, int]


class Doctor:
    """The route of this module."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def add_to(self, gate: Gate) -> None:
        gate.add(
            Route(
                "doctor",
                "GET",
                "/api/v1/admin/doctor",
                Right.ADMINISTER,
                self.doctor,
                "What is wrong, and what to do about it; looks at every camera, so it takes seconds",
                answer=DoctorView,
            )
        )

    async def doctor(self, _call: Call) -> DoctorView:
        services = self._services
        tab = services.settings.tab(ConnectivityTab)
        cameras: list[Finding] = []
        async with trio.open_nursery() as nursery:
            for camera in services.cameras.list():
                nursery.start_soon(self._look, camera, cameras)
            workers = await self._workers()
        cameras.sort(key=lambda finding: finding.message)
        if not services.cameras.list():
            cameras = [notice("cameras", "no_cameras", "There is none yet.", "Add one: fanal camera add NAME rtsp://…")]
        found = [*await self._certificate(), *cameras, *workers, *self._services_failing(), *self._users()]
        return DoctorView(
            [FindingView(each.check, each.code, each.level.value, each.message, each.remedy) for each in found],
            listening={"HTTPS": services.https_port, "HTTP": services.http_port},
            configured={"HTTPS": tab.https_port, "HTTP": tab.http_port},
        )

    async def _certificate(self) -> list[Finding]:
        services = self._services
        now = to_datetime(services.clock.utc_90k())
        if services.tls is not None:
            state = services.tls.state.value
        else:  # not served at the moment: what would be
            there = await trio.to_thread.run_sync(read_state, services.folder / "tls", now)
            if there is None:
                return [notice(CERTIFICATE, "no_certificate", "There is none yet; the first start makes one.")]
            state = there
        return check_certificate(
            state,
            now,
            wanted=services.settings.tab(ConnectivityTab).host_names,
            own=list(services.own_hosts()),
            host_names="connectivity.host_names",
        )

    async def _look(self, camera: Camera, findings: list[Finding]) -> None:
        if any(stream.url.startswith(DEMO_SCHEME) for stream in camera.streams):
            return  # it is no camera, and making its clip takes a while
        with trio.move_on_after(LOOKING_S) as patience:
            state = await self._services.directory.look(camera)
        if patience.cancelled_caught:
            message = f"“{camera.name}” has said nothing for {LOOKING_S:.0f} s."
            findings.append(action("cameras", Trouble.TIMEOUT, message, _remedy(Trouble.TIMEOUT, camera)))
        elif state.state == "lost":
            reason = state.reason or Trouble.CAMERA_LOST
            findings.append(action("cameras", reason, f"“{camera.name}”: {state.message}", _remedy(reason, camera)))
        elif state.state == "waiting":
            message = f"“{camera.name}” gives no picture at the moment."
            findings.append(notice("cameras", state.reason or "waiting", message, "Wait a little and ask again."))
        else:
            findings.append(well("cameras", f"“{camera.name}” answers"))

    async def _workers(self) -> list[Finding]:
        pool = self._services.pool
        try:
            await pool.warm()
        except Fault as fault:
            remedy = fault.hint or "See whether this machine has memory left; the log says more."
            return [action("workers", fault.code, fault.message, remedy)]
        kept = [f"{name} ({why})" for name, why in pool.isolation.items() if why is not None]
        if kept:
            message = f"Media workers could not give up: {', '.join(kept)}."
            remedy = "Run Fanal as the service, on a kernel with Landlock and user namespaces."
            return [notice("workers", "worker_isolation", message, remedy), self._hardware()]
        return [well("workers", f"isolated: {', '.join(pool.isolation)}"), self._hardware()]

    def _hardware(self) -> Finding:
        """Row TRA-3: to do without hardware is nothing to mend; that it fails is."""
        services = self._services
        found = hardware_view(services.transcoders, services.settings.tab(PerformanceTab))
        if found.state == "failed":
            return notice("hardware", "hardware_decoding_failed", found.why, "See to the driver of the device.")
        return well("hardware", f"decodes ({found.kind})" if found.kind else f"none that decodes. {found.why}")

    def _services_failing(self) -> list[Finding]:
        remedy = f"It is started again by itself. If it keeps failing, see {self._services.folder / 'logs'}."
        return [
            action("services", "service_failing", f"“{one.name}” fails: {one.last_error}", remedy)
            for one in self._services.board.services.values()
            if one.failures and not one.running
        ]

    def _users(self) -> list[Finding]:
        return [
            action("users", "first_password", f"“{user.name}” still has the first password.", "Sign in and change it.")
            for user in self._services.auth.users.list()
            if user.must_change and not user.disabled
        ]


def _remedy(reason: str, camera: Camera) -> str:
    return REMEDIES.get(Trouble(reason), _OTHERWISE).format(camera.name)
