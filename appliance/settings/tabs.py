"""The tabs of the administration, as in `features.md`.  Only settings that something obeys are here.

A field is its default and, in its metadata, a `Setting`: the rule it must keep, a hint for whoever sets it, the unit,
and whether it takes effect at the next start only.  Its key is the tab's name and the field's, joined by a dot, unless
it says otherwise.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from appliance.base.faults import Fault, invalid
from appliance.base.texts import clean_name
from appliance.media.adaptive import StreamMode
from appliance.media.levels import (
    BANDWIDTH_KBPS,
    CPU_PERCENT,
    MAX_FPS,
    MAX_HEIGHT,
    MAX_WIDTH,
    BusyLevel,
    Level1,
    Levels,
    problems,
)
from appliance.media.recording_rules import RETENTION_DAYS
from appliance.settings.rules import HOSTS, NETWORKS, Name, OneOf, Rule, Switch, Text, Value, Whole, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

V = TypeVar("V", bound=Value)


@dataclass(frozen=True)
class Setting:
    """What is known about one field beside its default."""

    rule: Rule
    hint: str
    unit: str = ""
    restart: bool = False
    key: str = ""  # within the tab; empty: the field's name


def setting(
    default: V | Callable[[], V], rule: Rule, hint: str, *, unit: str = "", restart: bool = False, key: str = ""
) -> V:
    """A dataclass field that is a setting.  A callable gives the default of this machine."""
    metadata = {"setting": Setting(rule, hint, unit, restart, key)}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


def host_name() -> str:
    """What this machine calls itself, as a server name."""
    try:
        return clean_name(socket.gethostname())
    except Fault:
        return "Fanal"


@dataclass(frozen=True)
class Tab:
    """A tab; ``name`` is the first part of its keys."""

    name: ClassVar[str]
    title: ClassVar[str]

    def problems(self) -> list[Fault]:
        """What is wrong between the fields, each alone being right."""
        return []


@dataclass(frozen=True)
class GeneralTab(Tab):
    """Rows GEN-1, GEN-9."""

    name: ClassVar[str] = "general"
    title: ClassVar[str] = "General"

    server_name: str = setting(host_name, Name(), "How people recognise this server; at first the name of the machine.")
    description: str = setting("", Text(500), "Where it is, whom to call.")
    log_days: int = setting(3, Whole(1, 365), "Older logs are deleted.", unit="d")


@dataclass(frozen=True)
class ConnectivityTab(Tab):
    """Rows CON-1, CON-7; trusted proxies: abuse A16."""

    name: ClassVar[str] = "connectivity"
    title: ClassVar[str] = "Connectivity"

    http_port: int = setting(
        8081, Whole(1, 65535, off=True), "Browsers that come here are sent on to HTTPS.", restart=True
    )
    https_port: int = setting(8082, Whole(1, 65535, off=True), "Where clients are served.", restart=True)
    client_timeout_s: int = setting(
        30, Whole(5, 300), "A client that gives no sign of life for so long is disconnected.", unit="s"
    )
    host_names: tuple[str, ...] = setting(
        (), HOSTS, "Further names and addresses by which this server is reached, such as its name on the Internet."
    )
    trusted_proxies: tuple[str, ...] = setting(
        (), NETWORKS, "Reverse proxies whose word on the address of a client is taken; nobody else's is."
    )

    def problems(self) -> list[Fault]:
        if self.http_port == self.https_port == 0:
            return [refuse("connectivity.https_port", "and connectivity.http_port cannot both be off", "Set one.")]
        if self.http_port == self.https_port:
            return [refuse("connectivity.https_port", "is the same as connectivity.http_port", "Use two ports.")]
        return []


def _max_fps(level: int, default: int) -> int:
    hint = "Pictures a second that are made at most."
    return setting(default, Whole(*MAX_FPS), hint, unit="1/s", key=f"level{level}.max_fps")


def _max_width(level: int, default: int) -> int:
    hint = "The longer side of pictures that are made, at most."
    return setting(default, Whole(*MAX_WIDTH), hint, unit="px", key=f"level{level}.max_width")


def _max_height(level: int, default: int) -> int:
    hint = "The shorter side of pictures that are made, at most."
    return setting(default, Whole(*MAX_HEIGHT), hint, unit="px", key=f"level{level}.max_height")


def _busy(level: int) -> bool:
    hint = "Allow less while the server is busy."
    return setting(default=False, rule=Switch(), hint=hint, key=f"level{level}.enabled")


def _cpu(level: int, default: int) -> int:
    hint = "From so much use of all cores on; 0: whatever it is."
    return setting(default, Whole(*CPU_PERCENT, off=True), hint, unit="%", key=f"level{level}.cpu_percent")


def _bandwidth(level: int, default: int) -> int:
    hint = "From so much on to all clients together; 0: whatever it is."
    return setting(default, Whole(*BANDWIDTH_KBPS, off=True), hint, unit="kbit/s", key=f"level{level}.bandwidth_kbps")


@dataclass(frozen=True)
class PerformanceTab(Tab):
    """Rows PER-1 to PER-3, ADA-1, ADA-2, TRA-3; the caps: abuse A6."""

    name: ClassVar[str] = "performance"
    title: ClassVar[str] = "Performance"

    direct: bool = setting(
        default=True, rule=Switch(), hint="Send what the camera sends, as it is, to clients that can play it."
    )
    adaptive: bool = setting(
        default=True, rule=Switch(), hint="Of a camera with several streams, serve the one that fits the tile's size."
    )
    adaptive_mode: str = setting(
        StreamMode.QUALITY.value,
        OneOf(tuple(mode.value for mode in StreamMode)),
        "quality: the smallest stream that fills the tile; performance: a smaller one; bandwidth: the smallest.",
    )
    streams_per_user: int = setting(64, Whole(1, 1000), "Live streams that one user may watch at once.")
    hardware_decoding: str = setting(
        "auto", OneOf(("auto", "off")), "Whether hardware decodes what is transcoded, where there is any.", restart=True
    )
    viewers_per_server: int = setting(1000, Whole(1, 5000), "Live streams that are served at once.")
    level1_enabled: bool = setting(
        default=True, rule=Switch(), hint="Limit what is transcoded, always.", key="level1.enabled"
    )
    level1_max_fps: int = _max_fps(1, Level1().max_fps)
    level1_max_width: int = _max_width(1, Level1().max_width)
    level1_max_height: int = _max_height(1, Level1().max_height)
    level2_enabled: bool = _busy(2)
    level2_cpu_percent: int = _cpu(2, Levels().level2.cpu_percent)
    level2_bandwidth_kbps: int = _bandwidth(2, Levels().level2.bandwidth_kbps)
    level2_max_fps: int = _max_fps(2, Levels().level2.max_fps)
    level2_max_width: int = _max_width(2, Levels().level2.max_width)
    level2_max_height: int = _max_height(2, Levels().level2.max_height)
    level3_enabled: bool = _busy(3)
    level3_cpu_percent: int = _cpu(3, Levels().level3.cpu_percent)
    level3_bandwidth_kbps: int = _bandwidth(3, Levels().level3.bandwidth_kbps)
    level3_max_fps: int = _max_fps(3, Levels().level3.max_fps)
    level3_max_width: int = _max_width(3, Levels().level3.max_width)
    level3_max_height: int = _max_height(3, Levels().level3.max_height)

    @property
    def levels(self) -> Levels:
        """The limits of transcoded pictures."""
        return Levels(
            Level1(self.level1_enabled, self.level1_max_fps, self.level1_max_width, self.level1_max_height),
            BusyLevel(
                self.level2_enabled,
                self.level2_cpu_percent,
                self.level2_bandwidth_kbps,
                self.level2_max_fps,
                self.level2_max_width,
                self.level2_max_height,
            ),
            BusyLevel(
                self.level3_enabled,
                self.level3_cpu_percent,
                self.level3_bandwidth_kbps,
                self.level3_max_fps,
                self.level3_max_width,
                self.level3_max_height,
            ),
        )

    def problems(self) -> list[Fault]:
        found = []
        for problem in problems(self.levels):
            key = f"{self.name}.{problem.field}"
            found.append(invalid("invalid_setting", f"{key}: {problem.message}", problem.hint, field=key))
        return found


@dataclass(frozen=True)
class RecordingTab(Tab):
    """Row BEY-1; the caps: abuse A6."""

    name: ClassVar[str] = "recording"
    title: ClassVar[str] = "Recording"

    retention_days: int = setting(
        30,
        Whole(*RETENTION_DAYS),
        "Older recordings are deleted, unless a camera has its own number of days.",
        unit="d",
    )
    max_gb: int = setting(
        0,
        Whole(1, 1_000_000, off=True),
        "What all recordings may take together, the oldest being deleted first; 0: what the disk has.",
        unit="GB",
    )
    keep_free_gb: int = setting(
        5,
        Whole(1, 10_000, off=True),
        "What is left free on the disk, the oldest recordings being deleted for it; 0: nothing.",
        unit="GB",
    )
    seeks_per_user: int = setting(
        10, Whole(1, 100), "How often a second one user may go to another place; of more, the last counts.", unit="1/s"
    )
    exports_per_user: int = setting(2, Whole(1, 20), "Downloads of recordings that one user may have at once.")


TABS: Final[tuple[type[Tab], ...]] = (GeneralTab, ConnectivityTab, PerformanceTab, RecordingTab)


def settings_of(tab: type[Tab]) -> Mapping[str, Setting]:
    """The settings of a tab by the names of their fields."""
    return {each.name: each.metadata["setting"] for each in fields(tab)}


def key_of(tab: type[Tab], name: str, known: Setting) -> str:
    """The key of a field."""
    return f"{tab.name}.{known.key or name}"


#: Every key there is: its tab, its field, its setting.
KEYS: Final[Mapping[str, tuple[type[Tab], str, Setting]]] = {
    key_of(tab, name, known): (tab, name, known) for tab in TABS for name, known in settings_of(tab).items()
}


def describe() -> list[dict[str, Any]]:
    """The tabs and their settings for forms, REST and documentation, as JSON."""
    return [
        {
            "name": tab.name,
            "title": tab.title,
            "settings": [
                {
                    "key": key_of(tab, name, known),
                    "schema": {**known.rule.schema(), "default": to_json(getattr(defaults, name))},
                    "hint": known.hint,
                    "unit": known.unit or None,
                    "restart": known.restart,
                }
                for name, known in settings_of(tab).items()
            ],
        }
        for tab, defaults in ((tab, tab()) for tab in TABS)
    ]


def to_json(value: Value) -> bool | int | str | list[str]:
    """A value as JSON has it."""
    return list(value) if isinstance(value, tuple) else value
