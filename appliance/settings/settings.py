"""The settings in force: read from memory, waited for, changed in one transaction and one change event."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar, cast

import sqlalchemy as sa

from appliance.base.clock import SystemClock, utc_seconds
from appliance.base.faults import Fault, invalid
from appliance.base.watch import Broadcast, Watched
from appliance.settings.tabs import KEYS, TABS, Setting, Tab, describe, to_json
from appliance.store import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from appliance.base.clock import Clock
    from appliance.settings.rules import Value
    from appliance.store import Store

log = logging.getLogger(__name__)

TabT = TypeVar("TabT", bound=Tab)
Tabs = dict[type[Tab], Tab]


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """What one save changed.  ``restart`` names the keys of it that wait for the next start."""

    keys: frozenset[str]
    by: str
    restart: frozenset[str]


class Settings:
    """All tabs.  Made by `Settings.load`."""

    def __init__(self, store: Store, tabs: Tabs, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._watched: dict[type[Tab], Watched[Tab]] = {tab: Watched(value) for tab, value in tabs.items()}
        self.changes: Broadcast[SettingsChange] = Broadcast()

    @classmethod
    async def load(cls, store: Store, clock: Clock | None = None) -> Settings:
        """What the store holds, the defaults elsewhere.

        A key of a newer program is left alone; a value out of today's range is replaced by the default (in memory),
        with a warning that names it.
        """
        rows = await store.read(
            lambda connection: connection.execute(sa.select(tables.settings.c.key, tables.settings.c.value)).all()
        )
        return cls(store, from_stored({row.key: row.value for row in rows}), clock or SystemClock())

    def tab(self, tab: type[TabT]) -> TabT:
        """The values of one tab now."""
        return self.watch(tab).value

    def watch(self, tab: type[TabT]) -> Watched[TabT]:
        """The values of one tab, to wait for their change."""
        return cast("Watched[TabT]", self._watched[tab])

    def get(self, key: str) -> Value:
        """One value now.  Raises `Fault` ``unknown_setting``."""
        tab, name, _ = known(key)
        value: Value = getattr(self._watched[tab].value, name)
        return value

    def text(self, key: str) -> str:
        """One value now, as `parse` reads it.  Raises `Fault` ``unknown_setting``."""
        return known(key)[2].rule.show(self.get(key))

    @staticmethod
    def parse(key: str, text: str) -> Value:
        """The value a text stands for (command line, XML).  Raises `Fault` ``unknown_setting``, ``invalid_setting``."""
        return known(key)[2].rule.parse(key, text)

    def validate(self, values: Mapping[str, object]) -> list[Fault]:
        """All that would be wrong with setting these values (by key, as JSON has them) now; nothing is set."""
        return apply(self._current(), values)[1]

    async def change(self, values: Mapping[str, object], *, by: str) -> SettingsChange:
        """Set all of these (by key, as JSON has them) or none; ``by`` is the name of who does.

        Raises the first `Fault` of `validate`, and those of the store.
        """

        def fn(connection: sa.Connection) -> Tabs:
            # Here nobody else changes them: memory follows each write before the next one begins.
            tabs, faults = apply(self._current(), values)
            if faults:
                raise faults[0]
            for key in values:
                value = json.dumps(to_json(get(tabs, key)))
                stamp = {"value": value, "changed_at": utc_seconds(self._clock), "changed_by": by}
                done = connection.execute(
                    sa.update(tables.settings).where(tables.settings.c.key == key).values(**stamp)
                )
                if done.rowcount == 0:
                    connection.execute(sa.insert(tables.settings).values(key=key, **stamp))
            return tabs

        changed: SettingsChange | None = None

        def then(tabs: Tabs) -> None:
            nonlocal changed
            old = self._current()
            keys = frozenset(key for key in values if get(old, key) != get(tabs, key))
            changed = SettingsChange(keys, by, frozenset(key for key in keys if KEYS[key][2].restart))
            for tab, value in tabs.items():
                self._watched[tab].set(value)
            if keys:
                self.changes.publish(changed)

        await self._store.write(fn, then=then)
        assert changed is not None
        return changed

    @staticmethod
    def describe() -> list[dict[str, Any]]:
        """The tabs and their settings as JSON: key, schema (JSON Schema with the default), hint, unit, restart."""
        return describe()

    def _current(self) -> Tabs:
        return {tab: watched.value for tab, watched in self._watched.items()}


def known(key: str) -> tuple[type[Tab], str, Setting]:
    """Where a key leads.  Raises `Fault` ``unknown_setting`` that names those nearest to it."""
    found = KEYS.get(key)
    if found is not None:
        return found
    by_field = {name: full for full, (_, name, _) in KEYS.items()}  # whoever forgot the tab
    near = [by_field[key]] if key in by_field else get_close_matches(key[:100], KEYS, n=3)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"The tabs are {', '.join(tab.name for tab in TABS)}."
    raise invalid("unknown_setting", f"There is no setting {key[:100]!r}.", hint, field=key[:100])


def get(tabs: Tabs, key: str) -> Value:
    """One value out of all tabs."""
    tab, name, _ = KEYS[key]
    value: Value = getattr(tabs[tab], name)
    return value


def apply(tabs: Tabs, values: Mapping[str, object]) -> tuple[Tabs, list[Fault]]:
    """``tabs`` with the right values taken in, and all that is wrong with the others or between them."""
    faults: list[Fault] = []
    changed = dict(tabs)
    for key, value in values.items():
        try:
            tab, name, setting = known(key)
            changed[tab] = replace(changed[tab], **{name: setting.rule.check(key, value)})
        except Fault as fault:
            faults.append(fault)
    for tab, filled in changed.items():
        if filled != tabs[tab]:
            faults += filled.problems()
    return changed, faults


def from_stored(rows: Mapping[str, str]) -> Tabs:
    """The tabs out of the rows of the store, whatever these hold."""
    tabs: Tabs = {tab: tab() for tab in TABS}
    for key, text in rows.items():
        if key not in KEYS:
            log.info("the store has a setting that this version does not know: %s", key)
            continue
        tab, name, setting = KEYS[key]
        try:
            tabs[tab] = replace(tabs[tab], **{name: setting.rule.check(key, json.loads(text))})
        except (Fault, ValueError) as error:
            log.warning("the stored value of %s cannot be used, so its default is: %s", key, error)
    for tab, filled in tabs.items():
        for fault in filled.problems():
            log.warning("stored values of the tab %s do not go together, so defaults are taken: %s", tab.name, fault)
            at_fault = [name for key, (_, name, _) in KEYS.items() if key == fault.field]
            tabs[tab] = replace(tabs[tab], **{name: getattr(tab(), name) for name in at_fault})
        if tabs[tab].problems():
            tabs[tab] = tab()
    return tabs
