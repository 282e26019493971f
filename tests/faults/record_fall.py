"""Note how old a transcoded picture is, and what it is, while a real cable falls and comes back (F3).

    python -m tests.faults.record_fall tests/vectors/network/measured-fall.json

Needs what the tests of this folder need.  `tests.media.plot_networks` draws it.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.cli.program import running
from tests.faults.namespaces import HOUSE, two_machines
from tests.faults.watching import Watcher, watching
from tests.peers.cameras import running_cameras

PASSWORD = "seven gulls over the pier"
#: From when on the cable is how fast; None: as fast as it can.
RATES: tuple[tuple[float, int | None], ...] = ((0, None), (10, 300), (40, 1000), (60, None))
SECONDS, EVERY_S = 90.0, 0.1
FREE_KBPS = 100_000  # what is drawn for a cable without a limit


def main(file: Path) -> None:
    with ExitStack() as held:
        name = held.enter_context(tempfile.TemporaryDirectory(prefix="fanal-"))
        net = held.enter_context(two_machines())
        held.enter_context(net.inside(net.house))
        cameras = held.enter_context(running_cameras())
        server = held.enter_context(running(Path(name) / "data", "--bind", "0.0.0.0"))
        for words, told in (
            (("camera", "add", "Gate", cameras.url()), ""),
            (("user", "add", "anna", "--password-stdin"), f"{PASSWORD}\n"),
            (("user", "set", "anna", "live=all"), ""),
        ):
            assert server.command(*words, stdin=told).code == 0
        server.sign_in("anna", PASSWORD)
        camera_id = server.ask("GET", "/api/v1/cameras")[1]["cameras"][0]["id"]
        authority = (server.folder / "tls" / "authority.pem").read_text()
        path = f"/api/v1/cameras/{camera_id}/live"
        want = {"width": 640, "height": 360, "mode": "transcoded"}
        where = partial(net.inside, net.phone)
        with watching(where, HOUSE, server.port, path, server.token, authority, **want) as watcher:
            watcher.wait(lambda: watcher.pictures > 20 and watcher.behind_s < 1)
            rows = []
            began, left = time.monotonic(), list(RATES)
            rate: int | None = None
            before = len(watcher.announced)
            while (at_s := time.monotonic() - began) < SECONDS:
                if left and at_s >= left[0][0]:
                    _, rate = left.pop(0)
                    net.mend() if rate is None else net.slow_down(f"{rate}kbit")
                rows.append(row(watcher, at_s, rate))
                time.sleep(EVERY_S)
            changes = len(watcher.announced) - before
    lines = ",\n".join(json.dumps(list(each.values())) for each in rows)
    columns = json.dumps(list(rows[0]))
    file.write_text(f'{{"changes": {changes}, "columns": {columns}, "rows": [\n{lines}\n]}}\n')
    print(f"{len(rows)} moments, {changes} changes, the oldest picture {max(each['age_s'] for each in rows):.2f} s")


def row(watcher: Watcher, at_s: float, rate: int | None) -> dict[str, float]:
    told = watcher.announced[-1]
    return {
        "at_s": round(at_s, 2),
        "carries_kbps": rate or FREE_KBPS,
        "takes_kbps": round(watcher.kbps),
        "age_s": round(watcher.behind_s, 3),
        "width": told["width"],
        "fps": told["fps"],
        "quality": told["quality"],
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
