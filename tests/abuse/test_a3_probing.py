"""A3: a wrong password for a user who exists costs the server what one for a user who does not exist costs.

Times on a busy machine say little, so the work is compared: the processor time that the server spent.  The times
are printed; of them only the fastest ones are held to each other, which nothing but the server's own work makes.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cli.program import LOOPBACK, PATIENCE_S

if TYPE_CHECKING:
    from tests.abuse.conftest import Served

ATTEMPTS = 16  # of each sort, two for an account: below what slows it down
WRONG = "not what they chose"


def processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def attempt(served: Served, user: str, source: str) -> tuple[float, float, tuple[int, bytes]]:
    """Seconds until the answer, seconds of the processor, the answer."""
    connection = http.client.HTTPSConnection(
        LOOPBACK, served.server.port, timeout=PATIENCE_S, source_address=(source, 0), context=served.trust()
    )
    try:
        connection.connect()
        worked, began = processor_s(served.server.pid), time.perf_counter()
        body = json.dumps({"username": user, "password": WRONG})
        connection.request("POST", "/api/v1/session", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.status, response.read()
        return time.perf_counter() - began, processor_s(served.server.pid) - worked, answer
    finally:
        connection.close()


def test_a3_known_and_unknown_users_cannot_be_told_apart(served: Served) -> None:
    known = [f"user{number}" for number in range(ATTEMPTS // 2)]
    for name in known:
        served.add_user(name)
    unknown = [f"none{number}" for number in range(ATTEMPTS // 2)]
    took: dict[str, list[float]] = {"known": [], "unknown": []}
    worked = dict.fromkeys(took, 0.0)
    answers = set()
    for number in range(ATTEMPTS):
        for kind, names in (("known", known), ("unknown", unknown)):  # by turns: what else runs concerns both
            seconds, work, answer = attempt(served, names[number % len(names)], f"127.0.5.{1 + number // 4}")
            took[kind].append(seconds)
            worked[kind] += work
            answers.add(answer)
    for kind, times in took.items():
        p95 = statistics.quantiles(times, n=20)[-1]
        print(
            f"{kind}: fastest {min(times) * 1000:.1f} ms, median {statistics.median(times) * 1000:.1f} ms, "
            f"95 % within {p95 * 1000:.1f} ms, {worked[kind] / ATTEMPTS * 1000:.0f} ms of the processor each"
        )
    assert len(answers) == 1
    assert next(iter(answers))[0] == 401
    assert 0.6 < worked["known"] / worked["unknown"] < 1.6  # without a hash it would be below a tenth
    assert abs(min(took["known"]) - min(took["unknown"])) < 0.5 * min(took["known"])
