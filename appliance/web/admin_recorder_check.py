"""The check of the recordings: begun, followed and stopped over the interface, for ``fanal recorder check``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from appliance.base.clock import to_rfc3339
from appliance.recorder.checks import Doing
from appliance.web.admin import add_route

if TYPE_CHECKING:
    from appliance.recorder.checks import CheckState
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services


class CheckBody(msgspec.Struct, forbid_unknown_fields=True):
    """``repair``: put right what differs; ``thorough``: look for every picture in every file, too."""

    repair: bool = False
    thorough: bool = False


class DifferenceView(msgspec.Struct):
    """``kind`` is stable; ``action``: what was done, empty without repair; ``mended``: nothing is left to do."""

    kind: str
    path: str
    detail: str
    action: str
    mended: bool


class NoticeView(msgspec.Struct):
    """What is no difference and should be known: foreign, unknown_camera, put_aside."""

    kind: str
    path: str
    detail: str


class CheckView(msgspec.Struct):
    """``state``: none, running, done, stopped or failed (``message`` says why).

    ``found`` and ``noticed`` count all, ``left`` the differences that are not mended; the lists, which are there once
    it has ended, name the first thousand of each.
    """

    state: str
    repair: bool = False
    thorough: bool = False
    began: str | None = None
    ended: str | None = None
    place: str = ""
    files: int = 0
    bytes: int = 0
    found: int = 0
    left: int = 0
    noticed: int = 0
    counts: dict[str, int] = {}
    differences: list[DifferenceView] = []
    notices: list[NoticeView] = []
    message: str = ""


class RecorderCheck:
    """The routes of this module."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def add_to(self, gate: Gate) -> None:
        path = "recordings/check"
        add_route(
            gate,
            "recordings_check",
            "POST",
            path,
            self.begin,
            "Compare recorded files and their index; one check at a time",
            body=CheckBody,
            answer=CheckView,
            status=202,
            example={"repair": False},
        )
        add_route(gate, "recordings_checked", "GET", path, self.state, "How far the last check is", answer=CheckView)
        add_route(
            gate, "recordings_check_stop", "DELETE", path, self.stop, "Stop it; what is repaired stays so", status=204
        )

    async def begin(self, call: Call) -> CheckView:
        given: CheckBody = call.body
        return _view(self._services.checks.begin(repair=given.repair, thorough=given.thorough))

    async def state(self, _call: Call) -> CheckView:
        state = self._services.checks.state
        return CheckView("none") if state is None else _view(state)

    async def stop(self, _call: Call) -> None:
        self._services.checks.stop()


def _view(state: CheckState) -> CheckView:
    report = state.report
    view = CheckView(
        str(state.doing),
        report.repair,
        report.thorough,
        to_rfc3339(state.began),
        None if state.ended is None else to_rfc3339(state.ended),
        report.place,
        report.files,
        report.size,
        report.found,
        report.left,
        report.noticed,
        {str(kind): count for kind, count in tuple(report.counts.items())},
        message=state.message,
    )
    if state.doing is not Doing.RUNNING:
        view.differences = [
            DifferenceView(str(each.kind), each.path, each.detail, each.action, each.mended)
            for each in report.differences
        ]
        view.notices = [NoticeView(str(each.remark), each.path, each.detail) for each in report.notices]
    return view
