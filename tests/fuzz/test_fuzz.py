"""Damaged inputs to every parser that reads what strangers send."""

from __future__ import annotations

import os
import time
from importlib import import_module
from pathlib import Path
from random import Random

import pytest

from tests.fuzz.mutation import mutate

TARGETS = sorted(path.stem for path in Path(__file__).parent.glob("fuzz_*.py"))
#: In the suite the same few inputs every time; a longer run takes new ones.
SECONDS = float(os.environ.get("FANAL_FUZZ_SECONDS", "0"))
INPUTS = 4000


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.timeout(SECONDS + 100)
def test_the_seeds_and_what_becomes_of_them_when_damaged(target: str) -> None:
    module = import_module(f"tests.fuzz.{target}")
    for seed in module.SEEDS:
        module.check(seed)
    random = Random() if SECONDS else Random(target)
    end = time.monotonic() + SECONDS
    done = 0
    while time.monotonic() < end if SECONDS else done < INPUTS:
        data = mutate(random, module.SEEDS)
        try:
            module.check(data)
        except Exception as error:
            pytest.fail(f"{type(error).__name__}: {error}\nfor bytes.fromhex({data.hex()!r})")
        done += 1
