"""The systemd unit, judged by systemd itself."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "packaging" / "fanal.service"
#: systemd's measure, 0 (safe) to 10; a unit that says nothing has 9.6.
EXPOSURE = 2.0


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with a program that is there."""
    text = UNIT.read_text()
    assert "ExecStart=/usr/local/bin/fanal run " in text
    path = tmp_path / "fanal.service"
    path.write_text(text.replace("/usr/local/bin/fanal", "/usr/bin/true"))
    return path


def test_systemd_understands_it(unit: Path) -> None:
    done = analyze("verify", str(unit))
    assert done.returncode == 0
    assert "fanal.service" not in done.stderr + done.stdout  # no complaint about it either


def test_systemd_complains_about_a_wrong_one(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("ProtectSystem=", "ProtectSystm="))
    assert "ProtectSystm" in analyze("verify", str(unit)).stderr


def test_it_is_exposed_as_little_as_a_network_server_can_be(unit: Path) -> None:
    done = analyze("security", "--offline=true", f"--threshold={EXPOSURE * 10:.0f}", str(unit))
    assert done.returncode == 0, done.stdout


def test_media_workers_may_give_up_what_they_do(unit: Path) -> None:
    """Network namespaces and Landlock are for them; other namespaces are for nobody."""
    done = analyze("security", "--offline=true", "--json=short", str(unit))
    judged = {row["json_field"]: row["set"] for row in json.loads(done.stdout)}
    assert judged["RestrictNamespaces_net"] is False
    assert judged["RestrictNamespaces_user"] is False
    assert judged["RestrictNamespaces_mnt"] is True
    allowed = [line for line in unit.read_text().splitlines() if line.startswith("SystemCallFilter=")]
    assert any("landlock_restrict_self" in line for line in allowed)
    process = analyze("syscall-filter", "@process").stdout
    assert "unshare" in process
