"""Firewalls, as their files say it; ports that answer."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from appliance.serve.listening import check_answers, check_firewall
from appliance.status.findings import Level

# as ufw 0.36 writes them
RULES = """*filter
### RULES ###

### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in
-A ufw-user-input -p tcp --dport 22 -j ACCEPT

### tuple ### allow tcp 8081:8090 ::/0 any ::/0 in
-A ufw6-user-input -p tcp -m multiport --dports 8081:8090 -j ACCEPT

### tuple ### allow udp 9000 0.0.0.0/0 any 0.0.0.0/0 in
### tuple ### deny tcp 9001 0.0.0.0/0 any 0.0.0.0/0 in
### tuple ### limit any 443,9443 0.0.0.0/0 any 0.0.0.0/0 in
"""


@pytest.fixture
def ufw(tmp_path: Path) -> Path:
    (tmp_path / "ufw.conf").write_text("# /etc/ufw/ufw.conf\nENABLED=yes\nLOGLEVEL=low\n")
    (tmp_path / "user.rules").write_text(RULES)
    return tmp_path


@pytest.mark.parametrize(
    ("port", "opened"), [(22, True), (8081, True), (8090, True), (8091, False), (9000, False), (9001, False),
                         (443, True), (9443, True)],
)  # fmt: skip
def test_a_port_that_ufw_closes_is_found(ufw: Path, port: int, *, opened: bool) -> None:
    found = check_firewall({"HTTPS": port}, ufw)
    assert (found == []) is opened
    assert all(each.remedy == f"Run: ufw allow {port}/tcp" and each.level is Level.ACTION for each in found)


def test_ufw_that_is_off_closes_nothing(ufw: Path, tmp_path: Path) -> None:
    (ufw / "ufw.conf").write_text("ENABLED=no\n")
    assert check_firewall({"HTTPS": 9001}, ufw, tmp_path) == []


def test_firewalld_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "812").mkdir()
    (tmp_path / "812" / "comm").write_text("firewalld\n")
    (found,) = check_firewall({"HTTPS": 8082}, tmp_path / "none", tmp_path)
    assert "--add-port=8082/tcp" in found.remedy


def test_a_port_that_nobody_serves_is_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as served:
        port = served.getsockname()[1]
        assert check_answers("HTTPS", port, ["127.0.0.2", "127.0.0.1"]).level is Level.WELL
    assert check_answers("HTTPS", port, ["127.0.0.1"]).code == "port_silent"
