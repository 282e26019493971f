"""The systemd unit, judged and run by systemd itself."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

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


#: systemd as the first process of namespaces of its own: nothing of the machine's is touched, and nothing outlives it.
STAGE = """
mount --make-rprivate /
for place in /run /var/lib /etc/systemd/system; do mount -t tmpfs none $place; done
umount -l /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 none /sys/fs/cgroup
install -m 755 {binary} /run/fanal-binary
cp {unit} /etc/systemd/system/fanal.service
exec env -i container=other PATH="$PATH" /lib/systemd/systemd --unit=fanal.service --show-status=no --log-target=null
"""
#: The rest of a system is not there, and other ports are free.
CHANGES = """
[Unit]
After=
Wants=
DefaultDependencies=no
[Service]
ExecStart=
ExecStart=/run/fanal-binary run --data /var/lib/fanal --bind 127.0.0.1 --http 0 --https auto
StandardOutput=file:{said}
StandardError=file:{said}
"""

if os.geteuid() == 0:  # nobody else can start a systemd

    @pytest.mark.timeout(420)
    def test_it_runs_confined_and_its_workers_give_up_everything(binary: Path, tmp_path: Path) -> None:
        said, unit = tmp_path / "said", tmp_path / "fanal.service"
        said.touch()
        unit.write_text(UNIT.read_text() + CHANGES.format(said=said))
        script = STAGE.format(binary=shlex.quote(str(binary)), unit=shlex.quote(str(unit)))
        command = [
            "unshare",
            "--mount",
            "--pid",
            "--cgroup",
            "--mount-proc",
            "--fork",
            "--kill-child",
            "sh",
            "-ec",
            script,
        ]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL) as stage:
            try:
                until(lambda: "ready https://" in said.read_text(), said)
                main = until(lambda: main_process(stage.pid), said)
                status = (Path("/proc") / str(main) / "status").read_text()
                assert "Seccomp:\t2" in status
                assert "CapBnd:\t0000000000000000" in status
                assert f"Uid:\t{os.geteuid()}\t" not in status
                told = until(lambda: isolation(main), said)
                assert set(told.values()) == {None}, told
            finally:
                stage.kill()


def until(holds: Callable[[], Any], said: Path) -> Any:
    end = time.monotonic() + 90
    while not (found := holds()):
        assert time.monotonic() < end, said.read_text()
        time.sleep(0.2)
    return found


def main_process(stage: int) -> int | None:
    """The process that serves: systemd's child's child."""
    found = [stage]
    for parent in found:
        found += map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())
    served = [pid for pid in found if b"fanal-binary\0run" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return served[1] if len(served) > 1 else None


def isolation(main: int) -> dict[str, str | None]:
    """What workers could not give up, as ``status`` has it; empty until there is one."""
    command = ["nsenter", f"--target={main}", "--mount", "--pid", "/run/fanal-binary", "status", "--json"]
    done = subprocess.run(
        [*command, "--data", "/var/lib/fanal"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, str | None] = json.loads(done.stdout)["isolation"]
    return told
