"""The board: which services run, what wants attention, what was counted.

Rooms write to it, the status page, the metrics and ``doctor`` read it.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.base.faults import Details

log = logging.getLogger(__name__)


class Severity(StrEnum):
    NOTICE = "notice"  # look at this
    URGENT = "urgent"  # act now


@dataclass(frozen=True, slots=True)
class Attention:
    """Something an administrator has to know.

    ``code`` is stable, for translation, as ``details`` are, which is what the message names; ``hint`` says what to do.
    """

    code: str
    message: str
    hint: str = ""
    severity: Severity = Severity.NOTICE
    details: Details = field(default_factory=dict, hash=False)


@dataclass(slots=True)
class Service:
    """A long-lived task of the appliance."""

    name: str
    running: bool = False
    failures: int = 0
    last_error: str = ""


class Board:
    """See the module."""

    def __init__(self, started_at: int) -> None:
        self.started_at = started_at  # ticks
        self.counters: Counter[str] = Counter()
        self.services: dict[str, Service] = {}
        self._attention: dict[str, Attention] = {}

    def up(self, name: str) -> None:
        self.services.setdefault(name, Service(name)).running = True

    def down(self, name: str, error: str = "") -> None:
        service = self.services.setdefault(name, Service(name))
        service.running = False
        if error:
            service.failures += 1
            service.last_error = error

    def attend(self, key: str, attention: Attention | None) -> None:
        """Put something on the list of what wants attention under a key, or (None) take it off."""
        if attention is None:
            self._attention.pop(key, None)
        elif self._attention.get(key) != attention:
            self._attention[key] = attention
            log.warning("%s %s", attention.message, attention.hint)

    @property
    def attention(self) -> list[Attention]:
        """What wants attention, the urgent first."""
        return sorted(self._attention.values(), key=lambda item: item.severity is not Severity.URGENT)
