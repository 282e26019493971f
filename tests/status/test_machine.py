"""The clock and the disks."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.status.machine import check_clock, check_disk, kernel_says_synchronised

NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("now", "kept", "code"),
    [
        (NOW, True, "well"),
        (NOW, False, "clock_not_kept"),
        (NOW, None, "clock_unknown"),
        (datetime(1970, 1, 1, tzinfo=UTC), True, "clock_wrong"),
        (NOW - timedelta(days=1), True, "clock_set_back"),
    ],
)
def test_the_clock(tmp_path: Path, now: datetime, kept: bool | None, code: str) -> None:
    (tmp_path / "written").touch()
    os.utime(tmp_path / "written", (NOW.timestamp(), NOW.timestamp()))
    (found,) = check_clock(now, [tmp_path / "written", tmp_path / "missing"], lambda: kept)
    assert found.code == code


TOLD_IN_C = """
#include <sys/timex.h>
int main() { struct timex t = {0}; int s = adjtimex(&t); return s == TIME_ERROR || t.status & STA_UNSYNC; }
"""


def test_the_kernel_is_asked_rightly(tmp_path: Path) -> None:
    """The same answer as that of C, with the system's own header."""
    program = tmp_path / "told"
    subprocess.run(["gcc", "-x", "c", "-", "-o", str(program)], input=TOLD_IN_C, text=True, check=True)
    done = subprocess.run([str(program)], check=False)
    assert kernel_says_synchronised() is (done.returncode == 0)


def test_files_of_another_user_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o700)
    assert [each.code for each in check_disk(tmp_path)] == ["well"]
    (tmp_path / "fanal.db").touch()
    real = Path.lstat

    def lstat(path: Path) -> os.stat_result:
        fields = list(real(path))
        fields[4] += 1  # st_uid
        return os.stat_result(fields)

    monkeypatch.setattr(Path, "lstat", lstat)
    (found,) = check_disk(tmp_path)
    assert found.code == "data_of_others"
    assert "fanal.db" in found.message


def test_a_folder_that_is_not_there_is_judged_by_where_it_would_be(tmp_path: Path) -> None:
    assert [each.code for each in check_disk(tmp_path / "a" / "b")] == ["well"]
