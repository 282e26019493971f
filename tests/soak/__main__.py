"""``make soak``: abuse A26 for an hour (or as long as is said), the report as Markdown.

python -m tests.soak [--seconds N] [--rate N] [--output FILE] [--plot FILE.png]
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench.common.cli import end_in_order, say
from tests.soak.plot import draw
from tests.soak.run import soak, soaking

ALLOWED_MB_PER_H = 1.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--rate", type=float, default=100, help="viewers a second, of ten addresses")
    parser.add_argument("--warm", type=float, default=300, help="seconds before anything is counted")
    parser.add_argument("--output", type=Path, metavar="FILE")
    parser.add_argument("--parts", type=int, default=30, help="how often it is asked what is held")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="also draw what was held, over time")
    options = parser.parse_args()
    end_in_order()
    say(f"churning for {options.seconds:.0f} s")
    with soaking() as server:
        done = soak(server, options.seconds, warm_s=options.warm, rate=options.rate, parts=options.parts, tell=say)
    first, last = done.held[0], done.held[-1]
    back = last.no_more_than(first)
    reached = back and not done.failed and done.slope_mb_per_h < ALLOWED_MB_PER_H
    rate = f"{done.rate:.0f} a second ({options.rate:.0f} wanted)"
    growth = f"{done.slope_mb_per_h:.2f} MB an hour (least squares; allowed: {ALLOWED_MB_PER_H:.0f})"
    text = f"""## {datetime.now(UTC):%Y-%m-%d}, {options.seconds / 60:.0f} minutes

{done.connects} viewers came and went over TLS from ten addresses, {rate}.
The slowest took {done.slowest_s:.2f} s; {len(done.failed)} failed.
Resident memory grew by {growth}.
Open files and tasks are {"back" if back else "NOT back"} where they were.

{done.markdown()}
"""
    print(text)
    for failure in sorted(set(done.failed))[:10]:
        say(failure)
    if options.output is not None:
        options.output.write_text(text)
    if options.plot is not None:
        draw(done, options.plot)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
