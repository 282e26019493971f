"""What every bench script offers on its command line."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.common.report import Section


@dataclass(frozen=True)
class Options:
    """``quick``: fewer rounds, shorter windows; the numbers are then rougher."""

    quick: bool = False

    def pick(self, full: float, quick: float) -> float:
        return quick if self.quick else full

    def count(self, full: int, quick: int) -> int:
        return quick if self.quick else full


def script(measure: Callable[[Options], Section], about: str | None) -> None:
    """Run one bench and print what it found."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, shorter windows")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write what was found there")
    arguments = parser.parse_args()
    end_in_order()
    section = measure(Options(quick=arguments.quick))
    print(section.markdown())
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(section.data(), indent=1, ensure_ascii=False) + "\n")


def end_in_order() -> None:
    """SIGTERM ends what was started, as Ctrl+C does."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def say(text: str) -> None:
    """What is being done, for who waits."""
    print(text, file=sys.stderr, flush=True)
