"""Administration of the settings, tab by tab."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from appliance.base.faults import Fault, Kind
from appliance.settings.tabs import TABS, to_json
from appliance.web.admin import add_route

if TYPE_CHECKING:
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services


class Saved(msgspec.Struct):
    """Which settings changed, and which of them wait for a restart."""

    changed: list[str]
    restart: list[str]


class SettingsAdministration:
    """The routes of this module."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def add_to(self, gate: Gate) -> None:
        add = partial(add_route, gate)
        add("settings_schema", "GET", "settings", self.schema, "All settings: keys, ranges, defaults, values")
        add("settings", "GET", "settings/<tab>", self.tab, "The values of one tab")
        add(
            "settings_save",
            "PUT",
            "settings/<tab>",
            self.save,
            "Save values of one tab",
            body=dict[str, Any],
            answer=Saved,
            example={"description": "in the cellar"},
        )

    async def schema(self, _call: Call) -> dict[str, Any]:
        settings = self._services.settings
        tabs = settings.describe()
        for tab in tabs:
            for one in tab["settings"]:
                one["value"] = to_json(settings.get(one["key"]))
        return {"tabs": tabs}

    async def tab(self, call: Call) -> dict[str, Any]:
        name = _tab(call.path["tab"])
        keys = [
            one["key"] for tab in self._services.settings.describe() if tab["name"] == name for one in tab["settings"]
        ]
        return {key.removeprefix(f"{name}."): to_json(self._services.settings.get(key)) for key in keys}

    async def save(self, call: Call) -> Saved:
        name = _tab(call.path["tab"])
        values = {f"{name}.{field}": value for field, value in call.body.items()}
        change = await self._services.settings.change(values, by=call.who.name)
        return Saved(sorted(change.keys), sorted(change.restart))


def _tab(name: str) -> str:
    if name not in [tab.name for tab in TABS]:
        raise Fault(
            Kind.NOT_FOUND,
            "no_such_tab",
            f"There is no tab “{name[:40]}”.",
            f"The tabs are {', '.join(tab.name for tab in TABS)}.",
        )
    return name
