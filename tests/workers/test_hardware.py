"""Hardware that decodes: that there is none and why, for real; its use and its failure with a decoder that stands in
for it, as this is tested on machines without any."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from appliance.workers import hardware
from appliance.workers.decoding import Decoder
from appliance.workers.pool import open_pool
from appliance.workers.wire import PipelineOpen, PipelineUnit
from tests.media.clips import Clip, encode_h264

if TYPE_CHECKING:
    from pathlib import Path


def test_without_a_device_it_says_where_it_looked(tmp_path: Path) -> None:
    assert hardware.find(tmp_path) == (
        None, f"there is no device: neither {tmp_path}/nvidia0 nor {tmp_path}/dri/renderD128",
    )  # fmt: skip


def test_a_device_that_does_not_work_says_what_is_wrong(tmp_path: Path) -> None:
    """The node is a file, and there is no driver: libav tries it all the same."""
    (tmp_path / "nvidia0").touch()
    (tmp_path / "dri").mkdir()
    (tmp_path / "dri" / "renderD128").touch()
    found = hardware.find(tmp_path)
    assert found.kind is not None or (
        "nvidia0 is there, and cuda says: " in found.why and "renderD128 is there, and " in found.why
    )


async def test_a_worker_looks_unless_it_is_switched_off() -> None:
    async with open_pool(1) as pool:
        await pool.warm()
        kind, why = pool.hardware
        assert (kind is None) is bool(why)
    async with open_pool(1, hardware=False) as pool:
        await pool.warm()
        assert pool.hardware == (None, "it is switched off")


class Device:
    """Decodes as hardware does, by software, until it fails."""

    def __init__(self, clip: Clip, fails_at: int | None) -> None:
        self._decoder = av.VideoCodecContext.create("h264", "r")
        self._decoder.extradata = clip.format.configuration
        self._left = fails_at
        self.options: dict[str, str] = {}
        self.extradata = b""
        self.thread_count = 0

    def decode(self, packet: av.Packet | None) -> list[av.VideoFrame]:
        if self._left is not None:
            if self._left == 0:
                raise av.ExternalError(542398533, "the device is gone")
            self._left -= 1
        return self._decoder.decode(packet)

    def flush_buffers(self) -> None:
        self._decoder.flush_buffers()


CLIP = encode_h264(24, gop=8, b=2)
UNITS = [PipelineUnit(unit.data, unit.pts, starts=unit.is_idr) for unit in CLIP.units]
OPENING = PipelineOpen("h264", CLIP.format.configuration, False, False)


def pictures(decoder: Decoder, units: list[PipelineUnit] = UNITS) -> dict[int, np.ndarray]:
    """All that come out, each once."""
    frames = [frame for unit in units for frame in decoder.decode(unit)] + decoder.drain()
    assert len({frame.pts for frame in frames}) == len(frames)
    return {frame.pts: frame.to_ndarray(format="gray") for frame in frames}


@pytest.mark.parametrize("fails_at", [None, 0, 1, 5, 8, 13, 23])
def test_where_it_fails_software_goes_on_with_the_same_picture(fails_at: int | None) -> None:
    decoder = Decoder(OPENING, "cuda", lambda _opening, _kind: Device(CLIP, fails_at))  # type: ignore[arg-type,return-value]
    assert decoder.kind == "cuda"
    seen, judged = pictures(decoder), pictures(Decoder(OPENING, None))
    assert seen.keys() == judged.keys()
    assert all((seen[pts] == judged[pts]).all() for pts in judged)
    assert (decoder.kind, bool(decoder.failure)) == (("cuda", False) if fails_at is None else (None, True))
    assert fails_at is None or "the device is gone" in decoder.failure


def test_a_damaged_picture_is_not_the_hardwares_failure() -> None:
    decoder = Decoder(OPENING, "cuda", lambda _opening, _kind: Device(CLIP, None))  # type: ignore[arg-type,return-value]
    for unit in UNITS[:4]:
        decoder.decode(unit)
    with pytest.raises(av.FFmpegError):
        decoder.decode(PipelineUnit(b"\0\0\0\2\x65", UNITS[4].pts))
    assert decoder.failure == ""


def test_a_device_that_cannot_be_opened_is_not_used() -> None:
    def refuse(_opening: PipelineOpen, _kind: str) -> av.VideoCodecContext:
        raise NotImplementedError("no such decoder")

    decoder = Decoder(OPENING, "cuda", refuse)
    assert (decoder.kind, decoder.failure) == (None, "cuda: no such decoder")
    assert len(pictures(decoder)) == 24


def test_with_a_device_a_worker_keeps_what_its_driver_opens_and_nothing_else() -> None:
    """On a kernel without Landlock nothing is kept from it in either case, and it says so."""
    program = """
from appliance.workers import isolation as i
i.DRIVER_DEVICES, i.DRIVER_FILES = ("/dev/nul*",), ("/usr/lib",)
print(i.after_libraries(device=True)["files"])
def can(path, how):
    try:
        open(path, how).close()
    except OSError as error:
        return error.errno
print(can("/dev/null", "r+b"), can("/usr/lib/os-release", "rb"), can("/etc/passwd", "rb"), can("/dev/zero", "rb"))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    said, could = done.stdout.splitlines()
    if said.startswith("all but the driver's"):
        assert could == "None None 13 13"
    else:
        assert could == "None None None None"
