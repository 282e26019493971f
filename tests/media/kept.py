"""What takes long to make for tests, and is the same each time: made once for all processes, and for the next run."""

from __future__ import annotations

import hashlib
import os
import pickle
from functools import cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import av

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".cache" / "clips"
#: Where it is said what is made, and of what.
SOURCES = (Path(__file__).parent, ROOT / "appliance" / "media")


@cache
def state() -> str:
    """Changes with the sources and with the library: then everything is made anew."""
    files = sorted(path for folder in SOURCES for path in folder.glob("*.py"))
    return f"{av.__version__} {[(path.name, path.stat().st_mtime_ns) for path in files]}"


def kept(make: Callable[P, T]) -> Callable[P, T]:
    """Everybody gets a copy.  What depends on functions is not kept."""

    @wraps(make)
    def made(*args: P.args, **kwargs: P.kwargs) -> T:
        given: list[Any] = [*args, *kwargs.values()]
        if any(callable(value) for value in given):
            return make(*args, **kwargs)
        name = repr((make.__module__, make.__name__, args, sorted(kwargs.items()), state()))
        path = FOLDER / hashlib.sha256(name.encode()).hexdigest()[:32]
        try:
            found: T = pickle.loads(path.read_bytes())
        except OSError:
            found = make(*args, **kwargs)
            FOLDER.mkdir(parents=True, exist_ok=True)
            beside = path.with_suffix(f".{os.getpid()}")
            beside.write_bytes(pickle.dumps(found))
            beside.replace(path)
        return found

    return made
