"""The steps of opening a stream, one after the other, with how long each took: what a camera test shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Step:
    name: str  # "connect", "OPTIONS", "DESCRIBE", "SETUP", "PLAY", "picture"
    ok: bool
    detail: str
    ms: int


class Steps:
    """Written while a stream is opened.  ``time`` gives seconds of a steady clock."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._began = time()
        self._name = ""
        self.done: list[Step] = []

    def begin(self, name: str) -> None:
        self._name, self._began = name, self._time()

    def rename(self, name: str) -> None:
        """The step that was begun turned out to be another."""
        self._name = name

    def end(self, detail: str = "", *, ok: bool = True) -> None:
        """The step that was begun is over; ends nothing if none was."""
        if self._name:
            self.done.append(Step(self._name, ok, detail, round((self._time() - self._began) * 1000)))
            self._name = ""
