"""What stands for a worker, of pictures or of sound, in tests of who uses it: it is lost when a test says so."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from appliance.workers.crew import CREDITS, SeatLostError

if TYPE_CHECKING:
    from collections.abc import Callable

Taken = TypeVar("Taken")
Answer = TypeVar("Answer")


@dataclass(eq=False)
class ScriptedSeat(Generic[Taken, Answer]):
    """``waiting``: what it has not answered."""

    told: Callable[[], None]
    waiting: deque[Taken] = field(default_factory=deque)
    given: list[Answer] = field(default_factory=list)
    lost: SeatLostError | None = None
    pid: int = 7

    @property
    def in_flight(self) -> int:
        return len(self.waiting)

    @property
    def has_credit(self) -> bool:
        return self.in_flight < CREDITS

    def answers(self) -> list[Answer]:
        if self.lost is not None:
            raise self.lost
        given, self.given = self.given, []
        return given

    def lose(self, *, blamed: bool = True) -> None:
        self.lost = SeatLostError("it died", blamed=blamed, hung=False)
        self.told()
