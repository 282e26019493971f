"""Logs: a file a day for so many days, nothing secret, nobody held up (row GEN-9, abuse A25)."""

from __future__ import annotations

import logging
import logging.handlers
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from appliance.base.faults import Fault
from appliance.status.logs import keep_early, open_logs

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger("appliance.tests")
DAY_S = 86_400


class Calendar:
    """Stands in for the time of the standard library, which rotates the files.  Begins today at noon: a new file is of
    today."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.mktime((*time.localtime()[:3], 12, 0, 0, 0, 0, -1))
        monkeypatch.setattr(time, "time", lambda: self.now)

    def pass_days(self, days: float) -> None:
        self.now += days * DAY_S

    @property
    def day(self) -> str:
        return time.strftime("%Y-%m-%d", time.localtime(self.now))


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch) -> Calendar:
    return Calendar(monkeypatch)


def written() -> None:
    """Wait until the writing thread has written all."""
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, logging.handlers.QueueHandler)
    handler.queue.join()


def names(folder: Path) -> set[str]:
    return {path.name for path in (folder / "logs").iterdir()}


def days(*wanted: str) -> set[str]:
    return {"fanal.log", *(f"fanal.log.{day}" for day in wanted)}


def text(folder: Path) -> str:
    return (folder / "logs" / "fanal.log").read_text()


def test_a_file_a_day_is_kept_for_so_many_days(tmp_path: Path, calendar: Calendar) -> None:
    """The logs are opened anew each day, as by a machine that is switched off at night; the rest is one long run."""
    seen = []
    for _ in range(3):
        with open_logs(tmp_path, days=3, level="info", terminal=False):
            log.info("day %s", calendar.day)
        seen.append(calendar.day)
        os.utime(tmp_path / "logs" / "fanal.log", (calendar.now, calendar.now))
        calendar.pass_days(1)
    with open_logs(tmp_path, days=3, level="info", terminal=False):
        for _ in range(4):
            log.info("day %s", calendar.day)
            written()
            seen.append(calendar.day)
            calendar.pass_days(1)
    assert names(tmp_path) == days(*seen[-4:-1])
    assert f"day {seen[-1]}" in text(tmp_path)
    for day in seen[-4:-1]:
        assert (tmp_path / "logs" / f"fanal.log.{day}").read_text().count(f"day {day}") == 1


def test_fewer_days_are_obeyed_at_once(tmp_path: Path, calendar: Calendar) -> None:
    with open_logs(tmp_path, days=5, level="info", terminal=False) as logs:
        seen = []
        for _ in range(5):
            seen.append(calendar.day)
            log.info("day %s", calendar.day)
            written()
            calendar.pass_days(1)
        assert names(tmp_path) == days(*seen[:4])
        logs.keep(2)
        assert names(tmp_path) == days(*seen[2:4])
    with open_logs(tmp_path, days=1, level="info", terminal=False):
        assert names(tmp_path) == days(seen[3])


SECRETS = [
    ("camera rtsp://admin:hunter2@192.0.2.1/main", "rtsp://•••@192.0.2.1/main"),
    ("Authorization: Bearer hunter2", "Authorization: •••"),
    ("GET /live.mp4?ticket=hunter2&width=3", "ticket=•••&width=3"),
    ('{"password": "hunter2"}', '"password": "•••"'),
]


@pytest.mark.parametrize(("said", "kept"), SECRETS)
def test_secrets_reach_neither_file_nor_terminal(
    said: str, kept: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_logs(tmp_path, days=3, level="info"):
        log.info("%s", said)
        log.error("it failed", exc_info=ValueError(said))
    for shown in (text(tmp_path), capsys.readouterr().err):
        assert "hunter2" not in shown
        assert shown.count(kept) >= 2


def test_everybodys_files_are_private(tmp_path: Path) -> None:
    with open_logs(tmp_path, days=3, level="info", terminal=False):
        log.info("hello")
    assert (tmp_path / "logs").stat().st_mode & 0o777 == 0o700


def test_what_is_said_before_there_are_logs_is_in_them(tmp_path: Path) -> None:
    with keep_early("info") as early:
        log.warning("early rtsp://a:hunter2@b/")
        log.debug("not wanted")
        with open_logs(tmp_path, days=3, level="info", terminal=False, early=early):
            log.info("late")
    lines = text(tmp_path).splitlines()
    assert [line.split(" ", 2)[2].strip() for line in lines] == [
        "WARNING tests: early rtsp://•••@b/",
        "INFO    tests: late",
    ]


def test_warnings_of_a_start_that_fails_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with keep_early("info"):
        log.warning("early")
        log.info("chatter")
    shown = capsys.readouterr().err
    assert "early" in shown
    assert "chatter" not in shown


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A log file that takes nothing, as on a full disk."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "fanal.log").symlink_to("/dev/full")
    return tmp_path


def test_a_full_disk_ends_nothing_and_repeats_nothing(full: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_logs(full, days=3, level="info"):
        for number in range(3):
            log.info("record %d", number)
    shown = capsys.readouterr().err
    assert [line.rpartition(" ")[2] for line in shown.splitlines()] == ["0", "1", "2"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("")
    with pytest.raises(Fault) as caught, open_logs(tmp_path, days=3, level="info"):
        pass
    assert caught.value.code == "log_folder"
    assert str(tmp_path / "logs") in caught.value.message


def test_a_slow_disk_holds_up_nobody_and_what_is_lost_is_counted(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("appliance.status.logs.WAITING", 5)
    monkeypatch.setattr(logging.handlers.TimedRotatingFileHandler, "emit", lambda *_: time.sleep(0.05))
    with open_logs(tmp_path, days=3, level="info", terminal=False) as logs:
        began = time.monotonic()
        for _ in range(1000):
            log.info("x")
        assert time.monotonic() - began < 2
        assert logs.lost > 900
