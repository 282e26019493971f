"""Tier 3: what can be set.  One frozen dataclass per tab of the administration, ranges enforced in one place.

==========  =========================================================================================
`tabs`      the tabs and their fields: default, range, unit, hint, whether a restart is needed
`rules`     what a value may be: the checks and the texts, the same for REST, forms, command line, XML
`settings`  `Settings`: the values in force, waiting for their changes, changing them
==========  =========================================================================================

A key is ``tab.field``, as in ``connectivity.http_port``.
"""

from appliance.settings.rules import Value
from appliance.settings.settings import Settings, SettingsChange
from appliance.settings.tabs import TABS, ConnectivityTab, GeneralTab, PerformanceTab, RecordingTab, Tab

__all__ = [
    "TABS",
    "ConnectivityTab",
    "GeneralTab",
    "PerformanceTab",
    "RecordingTab",
    "Settings",
    "SettingsChange",
    "Tab",
    "Value",
]
