"""What ``fanal doctor`` finds: a check, how it is, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    WELL = "well"
    NOTICE = "notice"  # good to know; nothing has to be done
    ACTION = "action"  # something does not work, or soon will not


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer of one check.  ``code`` is stable; ``remedy`` says what to do, empty where all is well."""

    check: str  # ports, certificate, clock, disk, cameras, workers, …
    code: str
    level: Level
    message: str
    remedy: str = ""


def well(check: str, message: str) -> Finding:
    return Finding(check, "well", Level.WELL, message)


def notice(check: str, code: str, message: str, remedy: str = "") -> Finding:
    return Finding(check, code, Level.NOTICE, message, remedy)


def action(check: str, code: str, message: str, remedy: str) -> Finding:
    return Finding(check, code, Level.ACTION, message, remedy)
