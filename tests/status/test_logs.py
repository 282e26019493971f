"""The log: what it may never hold, and that one record is one line whatever is in it (abuse A17, A25)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from appliance.status.logs import open_logs

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger("appliance.somewhere")


def logged(folder: Path) -> list[str]:
    return (folder / "logs" / "fanal.log").read_text(encoding="utf-8").split("\n")[:-1]


def fail(text: str) -> None:
    raise ValueError(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", r"a\nb"),
        ("a\r\nb", r"a\r\nb"),
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
        ("a\u2028b\x85c", r"a\u2028b\x85c"),
        ("lone \ud800", r"lone \ud800"),
        ("plain é 漢 %s", "plain é 漢 %s"),
    ],
)
def test_a_record_is_one_line_and_shows_what_does_not_show(tmp_path: Path, text: str, shown: str) -> None:
    with open_logs(tmp_path, days=1, level="info", terminal=False):
        log.warning("the camera says %s", text)
        log.info("next")
    first, second = logged(tmp_path)
    assert first.endswith(f"WARNING somewhere: the camera says {shown}")
    assert second.endswith("INFO    somewhere: next")


def test_an_exception_is_set_in_so_that_its_text_forges_no_line(tmp_path: Path) -> None:
    with open_logs(tmp_path, days=1, level="info", terminal=False):
        try:
            fail("x\n2026-01-01 00:00:00,000 INFO    auth: signed in\x1b[0m rtsp://u:hunter2@host/")
        except ValueError:
            log.exception("it failed")
    first, *rest = logged(tmp_path)
    assert first.endswith("ERROR   somewhere: it failed")
    assert rest
    assert all(line.startswith("    ") for line in rest)
    whole = "\n".join(rest)
    assert "\x1b" not in whole
    assert "hunter2" not in whole


def test_the_terminal_gets_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_logs(tmp_path, days=1, level="info"):
        log.error("password=hunter2\x1b[31m")
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert "hunter2" not in shown
    assert "\x1b" not in shown
