from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.faults import Fault, Kind
from appliance.settings.rules import Value
from appliance.settings.settings import Settings
from appliance.settings.tabs import KEYS, TABS

if TYPE_CHECKING:
    from collections.abc import Callable

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def outcome(fn: Callable[[], Value]) -> Value | Fault:
    try:
        return fn()
    except Fault as fault:
        return fault


@given(st.sampled_from(sorted(KEYS)), JSON)
def test_any_json_is_a_value_or_the_one_fault_that_names_the_field_and_the_remedy(key: str, value: Any) -> None:
    rule = KEYS[key][2].rule
    found = outcome(lambda: rule.check(key, value))
    if isinstance(found, Fault):
        assert (found.kind, found.code, found.field) == (Kind.INVALID, "invalid_setting", key)
        assert found.hint
    else:
        assert rule.check(key, found) == found


@given(st.sampled_from(sorted(KEYS)), st.text() | st.integers().map(str) | st.sampled_from(["on", "off", "yes"]))
def test_any_text_is_a_value_or_the_one_fault_and_what_is_shown_is_read_again(key: str, text: str) -> None:
    rule = KEYS[key][2].rule
    found = outcome(lambda: rule.parse(key, text))
    if isinstance(found, Fault):
        assert (found.code, found.field) == ("invalid_setting", key)
    else:
        assert rule.parse(key, rule.show(found)) == found


@given(st.lists(st.ip_addresses().map(str) | st.from_regex(r"\A[a-z][a-z0-9]{0,9}(\.[a-z]{2,6})?\Z"), max_size=9))
def test_a_list_shown_is_read_again(hosts: list[str]) -> None:
    rule = KEYS["connectivity.host_names"][2].rule
    kept = rule.check("connectivity.host_names", hosts)
    assert set(kept) == set(hosts)  # type: ignore[arg-type]
    assert rule.parse("connectivity.host_names", rule.show(kept)) == kept


def test_every_default_keeps_its_own_rule() -> None:
    for tab in TABS:
        assert tab().problems() == []
    for key, (tab, name, known) in KEYS.items():
        default = getattr(tab(), name)
        assert known.rule.check(key, default) == default


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("performance.adaptive", "off", False),
        ("performance.adaptive_mode", " Bandwidth ", "bandwidth"),
        ("performance.level1.max_fps", "45", 45),
        ("performance.level3.cpu_percent", "0", 0),
        ("performance.adaptive", " Yes ", True),
        ("performance.hardware_decoding", " Off", "off"),
        ("connectivity.http_port", "0", 0),
        ("connectivity.http_port", " 65535 ", 65535),
        ("connectivity.client_timeout_s", "5", 5),
        ("general.log_days", "365", 365),
        ("general.server_name", "  Harbour   warehouse ", "Harbour warehouse"),
        ("general.description", "one\r\ntwo", "one\ntwo"),
        ("connectivity.host_names", "NVR.example.org, 203.0.113.7;nvr.example.org", ("nvr.example.org", "203.0.113.7")),
        ("connectivity.host_names", "", ()),
        ("connectivity.trusted_proxies", "10.1.2.3/8 fd00::1", ("10.0.0.0/8", "fd00::1")),
    ],
)
def test_texts_that_are_right(key: str, text: str, value: Value) -> None:
    assert Settings.parse(key, text) == value


@pytest.mark.parametrize(
    ("key", "text", "says"),
    [
        ("connectivity.http_port", "70000", "cannot be 70000. Use 1 to 65535, or 0 for off."),
        ("connectivity.http_port", "-1", "cannot be -1"),
        ("connectivity.http_port", "http", "is a whole number. Use 1 to 65535"),
        ("connectivity.http_port", "8081.5", "is a whole number"),
        ("connectivity.http_port", "９", "is a whole number"),
        ("connectivity.http_port", "9" * 5000, "is a whole number"),
        ("connectivity.client_timeout_s", "0", "cannot be 0. Use 5 to 300."),
        ("connectivity.client_timeout_s", "301", "cannot be 301"),
        ("general.log_days", "0", "Use 1 to 365."),
        ("performance.streams_per_user", "1001", "Use 1 to 1000."),
        ("performance.viewers_per_server", "5001", "Use 1 to 5000."),
        ("performance.adaptive_mode", "best", "Use quality, performance or bandwidth."),
        ("performance.level2.cpu_percent", "5", "Use 10 to 95, or 0 for off."),
        ("performance.hardware_decoding", "on", "cannot be on. Use auto or off."),
        ("performance.adaptive", "perhaps", "is either on or off. Use on or off."),
        ("general.server_name", "", "The name is empty."),
        ("general.server_name", "x" * 65, "has 65 characters"),
        ("general.server_name", "x\u202ey", "U+202E"),
        ("general.description", "x" * 501, "has 501 characters. Use 500 at most."),
        ("general.description", "x" * 5001, "has 5001 characters"),
        ("general.description", "x\x1b[31m", "U+001B"),
        ("connectivity.host_names", "exa mple,-x", "'-x' is not a host name. For example:"),
        ("connectivity.host_names", ",".join(f"h{number}" for number in range(65)), "has 65 entries. Use 64"),
        ("connectivity.trusted_proxies", "example.org", "neither an IP address nor a network"),
        ("connectivity.trusted_proxies", "0.0.0.0/0", "is every address there is"),
        ("connectivity.trusted_proxies", "::/0", "is every address there is"),
    ],
)
def test_texts_that_are_wrong_say_what_would_be_right(key: str, text: str, says: str) -> None:
    with pytest.raises(Fault) as caught:
        Settings.parse(key, text)
    assert says in str(caught.value)
    assert caught.value.field == key


@pytest.mark.parametrize("value", [True, 8081.0, "8081", None, [8081]])
def test_a_number_in_json_is_a_number(value: object) -> None:
    with pytest.raises(Fault, match="is a whole number"):
        KEYS["connectivity.http_port"][2].rule.check("connectivity.http_port", value)
