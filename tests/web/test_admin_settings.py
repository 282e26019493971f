"""Settings over HTTP: what is said of them, what is accepted, and that a refusal names the field."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from appliance.settings.tabs import KEYS, TABS
from tests.web.appliance import House, open_house

PATH = "/api/v1/admin/settings"


async def test_every_setting_is_described_and_every_value_is_what_its_schema_says(house: House) -> None:
    chief = await house.administrator()
    tabs = (await chief.get(PATH)).json["tabs"]
    assert [tab["name"] for tab in tabs] == [tab.name for tab in TABS]
    described = {one["key"]: one for tab in tabs for one in tab["settings"]}
    assert described.keys() == KEYS.keys()
    for key, one in described.items():
        Draft202012Validator.check_schema(one["schema"])
        Draft202012Validator(one["schema"]).validate(one["value"])
        assert one["hint"], key
    for tab in TABS:
        values = (await chief.get(f"{PATH}/{tab.name}")).json
        assert len(values) == len(fields(tab))
        assert values == {
            key.removeprefix(f"{tab.name}."): one["value"]
            for key, one in described.items()
            if key.startswith(f"{tab.name}.")
        }


async def test_a_save_is_in_force_at_once_says_what_changed_and_outlives_a_restart(house: House) -> None:
    folder = house.folder / "second"
    body = {"server_name": "Cellar", "log_days": 7}
    async with open_house(folder=folder) as one:
        chief = await one.administrator()
        saved = (await chief.ask("PUT", f"{PATH}/general", body)).json
        assert saved == {"changed": ["general.log_days", "general.server_name"], "restart": []}
        assert (await one.stranger().get("/api/v1/server")).json["name"] == "Cellar"
        again = (await chief.ask("PUT", f"{PATH}/general", body)).json
        assert again == {"changed": [], "restart": []}
        port = await chief.ask("PUT", f"{PATH}/connectivity", {"https_port": 8443, "host_names": ["A.example."]})
        assert port.json == {
            "changed": ["connectivity.host_names", "connectivity.https_port"], "restart": ["connectivity.https_port"]
        }  # fmt: skip
    async with open_house(folder=folder) as other:
        chief = await other.visitor(other.services.auth.users.get("chief"))
        assert (await chief.get(f"{PATH}/general")).json.items() >= body.items()
        assert (await chief.get(f"{PATH}/connectivity")).json["host_names"] == ["a.example"]


async def test_a_save_is_all_or_nothing(house: House) -> None:
    chief = await house.administrator()
    before = (await chief.get(f"{PATH}/general")).json
    answer = await chief.ask("PUT", f"{PATH}/general", {"server_name": "New", "log_days": 0})
    assert (answer.status, answer.code, answer.json["field"]) == (422, "invalid_setting", "general.log_days")
    assert (await chief.get(f"{PATH}/general")).json == before


HUGE = "more digits than Python likes to write"
BAD: list[tuple[str, str, Any]] = [
    ("general", "server_name", value) for value in ("", " ", "x" * 65, "a\nb", "a\x00", "\u202e", 1, None, [], {}, True)
] + [
    ("general", "description", value) for value in ("x" * 501, "a\x1b[0m", 5, None)
] + [
    ("general", "log_days", value) for value in (0, 366, -1, 1.5, "3", None, True, [], 10**30, HUGE)
] + [
    ("connectivity", "http_port", value) for value in (-1, 65536, 2**63, "8081", 80.0)
] + [
    ("connectivity", "client_timeout_s", value) for value in (4, 301, 0)
] + [
    ("connectivity", "host_names", value) for value in ("x", ["a b"], ["http://x"], [1], ["x/"], ["a"] * 65, [""])
] + [
    ("connectivity", "trusted_proxies", value) for value in (["x"], ["10.0.0.0/33"], "10.0.0.1", [None])
] + [
    ("performance", "adaptive", value) for value in (0, 1, "on", None)
] + [
    ("performance", "hardware_decoding", value) for value in ("on", "", True, None, 1, ["auto"])
] + [
    ("performance", "streams_per_user", value) for value in (0, 1001)
] + [
    ("performance", "viewers_per_server", value) for value in (0, 5001)
] + [
    ("performance", "direct", value) for value in (0, "off", None)
] + [
    ("performance", "adaptive_mode", value) for value in ("", "Quality", "best", 1, None, ["quality"], {}, "x" * 999)
] + [
    ("recording", "retention_days", value) for value in (0, 3651, "30")
] + [
    ("recording", "max_gb", value) for value in (-1, 1_000_001, 1.5)
] + [
    ("recording", "keep_free_gb", value) for value in (-1, 10_001)
] + [
    ("recording", "seeks_per_user", value) for value in (0, 101, 2.5)
] + [
    ("recording", "exports_per_user", value) for value in (0, 21)
] + [
    ("performance", f"level{level}.{field}", value)
    for level in (1, 2, 3)
    for field, values in (
        ("enabled", (0, "on")),
        ("cpu_percent", (9, 96, "70")),
        ("bandwidth_kbps", (99, 10**7 + 1, None)),
        ("max_fps", (0, 61, 12.5)),
        ("max_width", (159, 7681)),
        ("max_height", (89, 4321)),
    )
    for value in values
    if level > 1 or field not in ("cpu_percent", "bandwidth_kbps")
]  # fmt: skip


@pytest.fixture(scope="module")
def chief(shared: House):
    return shared.do(shared.administrator, "settings chief")


def test_values_out_of_range_and_of_another_type_are_refused_by_name(shared: House, chief) -> None:
    for tab, field, value in BAD:
        body = b'{"%s": %s}' % (field.encode(), b"9" * 5000) if value is HUGE else {field: value}
        answer = chief.call("PUT", f"{PATH}/{tab}", body)
        assert answer.status == 422, (field, str(value)[:40], answer)
        assert (answer.code, answer.json.get("field")) in (
            ("invalid_setting", f"{tab}.{field}"),
            ("bad_request", None),  # no JSON that anybody could mean
        ), (field, str(value)[:40])
        assert answer.json["detail"]
        assert len(answer.body) < 1000
    assert {(tab, field) for tab, field, _ in BAD} | {("connectivity", "https_port")} == {
        tuple(key.split(".", 1)) for key in KEYS
    }


def test_unknown_keys_and_tabs_are_named(shared: House, chief) -> None:
    answer = chief.call("PUT", f"{PATH}/general", {"server_nam": "x"})
    assert (answer.status, answer.code, answer.json["field"]) == (422, "unknown_setting", "general.server_nam")
    assert "server_name" in answer.json["hint"]
    for key in ("", ".", "x" * 5000, "server_name.x", "__class__", "\u202e"):
        answer = chief.call("PUT", f"{PATH}/general", {key: 1})
        assert (answer.status, answer.code) == (422, "unknown_setting")
        assert len(answer.body) < 1500
    for method in ("GET", "PUT"):
        for tab in ("nothing", "General", "general.server_name", "__init__", "%00"):
            answer = chief.call(method, f"{PATH}/{tab}", {}) if method == "PUT" else chief.call(method, f"{PATH}/{tab}")
            assert (answer.status, answer.code) == (404, "no_such_tab"), (method, tab)


def test_two_ports_cannot_be_one_and_not_both_off(shared: House, chief) -> None:
    for body in ({"http_port": 8082}, {"http_port": 0, "https_port": 0}, {"http_port": 9, "https_port": 9}):
        answer = chief.call("PUT", f"{PATH}/connectivity", body)
        assert (answer.code, answer.json["field"]) == ("invalid_setting", "connectivity.https_port")


def test_nothing_to_save_is_saved(shared: House, chief) -> None:
    assert chief.call("PUT", f"{PATH}/general", {}).json == {"changed": [], "restart": []}


def test_each_level_allows_less_than_the_one_before_and_comes_into_force_later(shared: House, chief) -> None:
    path = f"{PATH}/performance"
    both = {"level2.enabled": True, "level3.enabled": True}
    for body, field, words in (
        ({"level1.max_fps": 45, "level2.max_fps": 45}, "level2.max_fps", ("45 pictures a second", "Use 44 at most")),
        ({"level1.max_fps": 10}, "level2.max_fps", ("Level 1 allows 10", "Use 9 at most")),
        ({"level2.max_width": 1920, "level2.max_height": 1080}, "level2.max_width", ("1920x1080", "smaller size")),
        ({"level3.max_width": 1920}, "level3.max_width", ("Level 2 allows 1280x720", "larger on neither side")),
        ({"level3.cpu_percent": 70}, "level3.cpu_percent", ("CPU threshold of Level 2 is 70 %", "more than 70 %")),
        ({"level3.bandwidth_kbps": 50_000}, "level3.bandwidth_kbps", ("50000 kbit/s", "or 0 for no threshold")),
        ({"level2.cpu_percent": 0, "level2.bandwidth_kbps": 0}, "level2.cpu_percent", ("No threshold is set",)),
    ):
        answer = chief.call("PUT", path, both | body)
        assert (answer.status, answer.code) == (422, "invalid_setting"), body
        assert answer.json["field"] == f"performance.{field}"
        said = f"{answer.json['detail']} {answer.json.get('hint', '')}"
        assert all(word in said for word in words), said
    assert chief.call("GET", path).json["level2.enabled"] is False  # nothing of it was saved
    alone = chief.call("PUT", path, {"level2.max_fps": 60})  # of a level that is off nothing is compared
    assert alone.json == {"changed": ["performance.level2.max_fps"], "restart": []}
    assert chief.call("PUT", path, {"level2.max_fps": 15}).status == 200
