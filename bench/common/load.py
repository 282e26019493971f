"""Runs the load client (`bench/loadclient.c`), built when its source changes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.common.measure import tree_cpu_s
from bench.common.paths import BENCH, CACHE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: What a browser of a large tile says first, and what it says each second from then on.
WANT = '{"type":"want","width":1280,"height":720,"fps":25,"mode":"auto","codecs":["avc1.640034"],"audio":false}'
STATS = '{"type":"stats","buffer_s":0.4,"dropped":0}'
#: The same of one that never takes anything but the camera's own stream.
WANT_DIRECT = WANT.replace("auto", "direct")
#: What one says that plays nothing of what a camera sends, in a tile of half that size.
WANT_JPEG = '{"type":"want","width":640,"height":360,"fps":25,"mode":"transcoded","audio":false}'
#: Each a real client's own address, so that the limits for an address are not what is measured.
SOURCES = 20


@dataclass(frozen=True)
class Target:
    """A live view to open."""

    port: int
    path: str
    tls: bool = False
    header: str = ""
    hello: str | None = None


@dataclass(frozen=True)
class Load:
    """What a run gave.  ``found``: the client's JSON; ``cpu_s``: of the server's processes in the window."""

    found: dict[str, Any] = field(repr=False)
    cpu_s: float

    @property
    def seconds(self) -> float:
        return float(self.found["seconds"])

    @property
    def messages(self) -> int:
        return int(self.found["messages"])

    @property
    def cores(self) -> float:
        return self.cpu_s / self.seconds

    @property
    def ms_per_1000(self) -> float:
        """CPU milliseconds for 1000 messages' worth of video: 20 MB."""
        return self.cpu_s * 1000 / (float(self.found["bytes"]) / 20e6)

    @property
    def whole(self) -> bool:
        """Whether everybody was served everything."""
        found = self.found
        return bool(found["open"] == found["viewers"] and found["lost"] == 0 and found["least"] > 0)

    def latency(self, which: str = "p99") -> float | None:
        value = self.found["latency_ms"].get(which)
        return None if value is None else float(value)


class NoCompilerError(Exception):
    """The load client cannot be built."""


def build() -> Path:
    """The built client.  Raises `NoCompilerError`."""
    source = BENCH / "loadclient.c"
    tag = hashlib.sha256(source.read_bytes()).hexdigest()[:12]
    built = CACHE / f"loadclient-{tag}"
    if built.exists():
        return built
    compiler = shutil.which(os.environ.get("CC", "gcc"))
    if compiler is None:
        raise NoCompilerError("The load client needs a C compiler: install gcc and libssl-dev.")
    CACHE.mkdir(parents=True, exist_ok=True)
    part = built.with_suffix(f".{os.getpid()}")
    command = [compiler, "-O2", "-Wall", "-o", str(part), str(source), "-lssl", "-lcrypto"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoCompilerError(f"The load client does not build; are gcc and libssl-dev there?\n{done.stderr[:1000]}")
    part.replace(built)
    return built


def command(target: Target, viewers: int, **options: float | str | bool | None) -> list[str]:
    """The client's command line; the options as its usage names them."""
    line = [str(build()), "--port", str(target.port), "--path", target.path, "--count", str(viewers)]
    line += ["--sources", str(SOURCES)]
    if target.header:
        line += ["--header", target.header]
    if target.hello:
        line += ["--hello", target.hello]
    for name, value in {"tls": target.tls, **options}.items():
        if value is True:
            line.append(f"--{name}")
        elif value not in (None, False):
            line += [f"--{name}", str(value)]
    return line


def run(
    target: Target,
    viewers: int,
    seconds: float,
    *,
    pids: tuple[int, ...] = (),
    warm: float = 1.0,
    during: Callable[[], object] | None = None,
    **options: float | str | bool | None,
) -> Load:
    """Hold ``viewers`` for ``seconds`` after ``warm``, and account for the trees of ``pids`` meanwhile.

    ``during`` is called as the window begins.
    """
    with opened(target, viewers, seconds=seconds, warm=warm, **options) as client:
        before = after = 0.0
        found: dict[str, Any] | None = None
        assert client.stdout is not None
        for line in client.stdout:
            if line == "measuring\n":
                before = sum(map(tree_cpu_s, pids))
                if during is not None:
                    during()
            elif line == "measured\n":
                after = sum(map(tree_cpu_s, pids))
            elif line.startswith("{"):
                found = json.loads(line)
        if found is None:
            assert client.stderr is not None
            raise RuntimeError(f"the load client ended without result: {client.stderr.read()[-500:]}")
        return Load(found, after - before)


@contextlib.contextmanager
def opened(target: Target, viewers: int, **options: float | str | bool | None) -> Iterator[subprocess.Popen[str]]:
    """The client as a process, ended with the block."""
    with subprocess.Popen(
        command(target, viewers, **options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as client:
        try:
            yield client
        finally:
            client.kill()


@contextlib.contextmanager
def watching(target: Target, viewers: int, seconds: float = 300, **options: float | str | bool | None) -> Iterator[int]:
    """Viewers that are there while the block runs; gives how many seconds they took to come, in milliseconds."""
    with opened(target, viewers, seconds=seconds, warm=0.0, **options) as client:
        assert client.stdout is not None
        if client.stdout.readline() != "open\n":
            assert client.stderr is not None
            raise RuntimeError(f"the viewers were not let in: {client.stderr.read()[-500:]}")
        yield client.pid
