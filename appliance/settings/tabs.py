"""The tabs of the administration, as in `features.md`.  Only settings that something obeys are here.

A field is its default and, in its metadata, a `Setting`: the rule it must keep, a hint for whoever sets it, the unit,
and whether it takes effect at the next start only.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from appliance.base.faults import Fault
from appliance.base.texts import clean_name
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


def setting(default: V | Callable[[], V], rule: Rule, hint: str, *, unit: str = "", restart: bool = False) -> V:
    """A dataclass field that is a setting.  A callable gives the default of this machine."""
    metadata = {"setting": Setting(rule, hint, unit, restart)}
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


@dataclass(frozen=True)
class PerformanceTab(Tab):
    """Rows PER-1, ADA-1, TRA-3; the caps: abuse A6."""

    name: ClassVar[str] = "performance"
    title: ClassVar[str] = "Performance"

    adaptive: bool = setting(
        default=True, rule=Switch(), hint="Of a camera with several streams, serve the one that fits the tile's size."
    )
    streams_per_user: int = setting(64, Whole(1, 1000), "Live streams that one user may watch at once.")
    hardware_decoding: str = setting(
        "auto", OneOf(("auto", "off")), "Whether hardware decodes what is transcoded, where there is any.", restart=True
    )
    viewers_per_server: int = setting(1000, Whole(1, 5000), "Live streams that are served at once.")


TABS: Final[tuple[type[Tab], ...]] = (GeneralTab, ConnectivityTab, PerformanceTab)


def settings_of(tab: type[Tab]) -> Mapping[str, Setting]:
    """The settings of a tab by the names of their fields."""
    return {each.name: each.metadata["setting"] for each in fields(tab)}


#: Every key there is: its tab, its field, its setting.
KEYS: Final[Mapping[str, tuple[type[Tab], str, Setting]]] = {
    f"{tab.name}.{name}": (tab, name, known) for tab in TABS for name, known in settings_of(tab).items()
}


def describe() -> list[dict[str, Any]]:
    """The tabs and their settings for forms, REST and documentation, as JSON."""
    return [
        {
            "name": tab.name,
            "title": tab.title,
            "settings": [
                {
                    "key": f"{tab.name}.{name}",
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
