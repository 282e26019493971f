"""Which data folder is meant, and a store whose settings somebody has damaged."""

from __future__ import annotations

import os
import shlex
import sqlite3
import subprocess
from pathlib import Path

import pytest

from appliance.cli.context import default_folder
from tests.cli.program import FANAL, fanal, own_mounts, running, surroundings


def test_the_environment_names_the_folder_and_the_option_counts_before_it(tmp_path: Path) -> None:
    environment: dict[str, str | None] = {"FANAL_DATA": str(tmp_path / "named")}
    done = fanal("camera", "list", environment=environment)
    assert str(tmp_path / "named") in done.err
    done = fanal("camera", "list", data=tmp_path / "other", environment=environment)
    assert str(tmp_path / "other") in done.err


def test_root_has_the_systems_folder() -> None:
    """In mounts of its own, so that this machine's stays as it is."""
    command = shlex.join([*FANAL, "config", "set", "general.server_name", "here"])
    done = subprocess.run(
        [*own_mounts(), "sh", "-e", "-c", f"mount -t tmpfs none /var/lib\n{command}\nstat -c %a:%n /var/lib/fanal"],
        capture_output=True, text=True, timeout=60, check=False, env=surroundings(),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "700:/var/lib/fanal"


def test_others_have_one_in_their_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == tmp_path / ".local" / "share" / "fanal"


def test_a_damaged_setting_is_named_and_costs_no_other(tmp_path: Path) -> None:
    assert fanal("config", "set", "general.server_name", "Harbour", data=tmp_path).code == 0
    with sqlite3.connect(tmp_path / "fanal.db") as store:
        store.execute(
            "INSERT INTO settings (key, value, changed_at, changed_by) VALUES ('general.log_days', '{', 0, 'me')"
        )
    store.close()
    with running(tmp_path) as server:
        assert "stored value of general.log_days cannot be used" in "\n".join(server.errors)
        assert "general.log_days" in server.log
        assert server.command("config", "get", "general.server_name").out == "Harbour\n"
        assert server.command("config", "get", "general.log_days").out == "3\n"
