"""The level that is in force (rows PER-2 to PER-4): by the load as it is sampled, and the settings as they are."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from appliance.media.level_choice import Demand, InForce, follow

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.media.ladder import Limit
    from appliance.media.levels import Levels
    from appliance.status.load import Sample

log = logging.getLogger(__name__)


class LevelInForce:
    """See the module.  ``levels``: the settings, asked anew each time."""

    def __init__(self, levels: Callable[[], Levels]) -> None:
        self._levels = levels
        self._state = InForce()

    @property
    def number(self) -> int:
        """1, or 2 or 3 while the server is busy; one that is switched off meanwhile is left at once."""
        levels = self._levels()
        number = self._state.level
        if number == 3 and not levels.level3.enabled:
            number = 2
        return 1 if number == 2 and not levels.level2.enabled else number

    @property
    def limit(self) -> Limit:
        """What transcoded pictures may be at most."""
        return self._levels().limit(self.number)

    @property
    def cpu_percent(self) -> float:
        """Of all cores, evened out: what is compared with the thresholds."""
        return self._state.cpu_percent

    @property
    def kbps(self) -> float:
        """To all clients, evened out."""
        return self._state.kbps

    def see(self, sample: Sample) -> bool:
        """Take in a sample of the load; whether another level is in force."""
        before = self.number
        demand = Demand(sample.at, 100 * sample.machine, sample.sent * 8 / 1000)
        self._state = follow(self._state, demand, self._levels())
        if self.number != before:
            log.info(
                "level %d is in force: %.0f %% of the processor in use, %.0f kbit/s to clients",
                self.number, self.cpu_percent, self.kbps,
            )  # fmt: skip
        return self.number != before
