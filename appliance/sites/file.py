"""Cameras that are movie files of this machine: ``file:/path``, played in a loop.  Named over the local socket alone.

The file is read in threads, some pictures ahead; its index is read by `appliance.media.movie`, nothing is decoded.
"""

from __future__ import annotations

import os
import stat
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import trio

from appliance._native.nal import split_avcc
from appliance.media import h264
from appliance.media.movie import MovieError, read_movie
from appliance.sites.addresses import FILE_SCHEME
from appliance.sites.loop import Loop, LoopSource
from appliance.sites.source import SourceError, Trouble

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from appliance.base.clock import Clock
    from appliance.media.movie import Movie
    from appliance.media.units import Unit

#: What is read at a time: so many samples, and so many bytes.
AHEAD = 100
AHEAD_BYTES = 4 << 20
_LEFT_OUT = frozenset({h264.SPS, h264.PPS, h264.DELIMITER, h264.FILLER})
_CHECK = "Check that it is there, and that Fanal may read it."


@asynccontextmanager
async def open_file(url: str, clock: Clock) -> AsyncIterator[FileSource]:
    """A movie as a source.  Raises `SourceError`; its path is in no message."""
    path = url.removeprefix(FILE_SCHEME)
    try:
        reader = await trio.to_thread.run_sync(_Reader.open, path)
    except (OSError, MovieError) as error:
        raise _explain(error) from error
    try:
        yield FileSource(reader, clock)
    finally:
        reader.close()


class _Reader:
    """An open file, its index, and the samples that were read ahead."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise MovieError("It is no file.")
        self._ahead: dict[int, bytes] = {}
        self.movie: Movie = read_movie(self._read, about.st_size)

    @classmethod
    def open(cls, path: str) -> _Reader:
        # not blocking: a pipe of that name would wait for its writer
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            return cls(descriptor)
        except BaseException:
            os.close(descriptor)
            raise

    def close(self) -> None:
        os.close(self._descriptor)

    async def fetch(self, index: int) -> bytes:
        """The data of one sample, in the form of a unit.  Raises `MovieError`, OSError."""
        data = self._ahead.pop(index, None)
        if data is None:
            self._ahead = await trio.to_thread.run_sync(self._read_ahead, index)
            data = self._ahead.pop(index)
        return data

    def _read_ahead(self, index: int) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        room = AHEAD_BYTES
        for n in range(index, min(index + AHEAD, len(self.movie.samples))):
            sample = self.movie.samples[n]
            if found and sample.size > room:
                break
            room -= sample.size
            data = self._read(sample.offset, sample.size)
            if len(data) < sample.size:
                raise MovieError("It became shorter while it was played.")
            found[n] = data if sample.is_audio else _access_unit(data, self.movie.length_size)
        return found

    def _read(self, offset: int, count: int) -> bytes:
        parts = []
        while count > 0 and (part := os.pread(self._descriptor, count, offset)):
            parts.append(part)
            offset, count = offset + len(part), count - len(part)
        return b"".join(parts)


class FileSource(LoopSource):
    """An open movie."""

    def __init__(self, reader: _Reader, clock: Clock) -> None:
        movie = reader.movie
        super().__init__(
            Loop(movie.video, movie.audio, movie.samples, movie.length, reader.fetch, movie.samples.at), clock
        )

    async def receive(self) -> list[Unit]:
        try:
            return await super().receive()
        except (OSError, MovieError) as error:
            raise _explain(error) from error


def _access_unit(data: bytes, length_size: int) -> bytes:
    """A picture as the house has it: lengths of four bytes; no parameter sets, delimiters, fillers."""
    kept = []
    for start, end in _nals(data, length_size):
        if data[start] & 0x1F not in _LEFT_OUT:
            kept.append((end - start).to_bytes(4, "big") + data[start:end])
    if not kept:
        raise MovieError("It has a picture without content.")
    return b"".join(kept)


def _nals(data: bytes, length_size: int) -> Sequence[tuple[int, int]]:
    if length_size == 4:
        try:
            return split_avcc(data)
        except ValueError:
            raise MovieError("It has a damaged picture.") from None
    found, at = [], 0
    while at < len(data):
        start = at + length_size
        at = start + int.from_bytes(data[at:start], "big")
        if at > len(data) or at == start:
            raise MovieError("It has a damaged picture.")
        found.append((start, at))
    return found


def _explain(error: OSError | MovieError) -> SourceError:
    if isinstance(error, FileNotFoundError):
        return SourceError(Trouble.NOT_FOUND, "The movie file is not there.", _CHECK)
    if isinstance(error, OSError):
        return SourceError(Trouble.REFUSED, f"The movie file cannot be read: {error.strerror}.", _CHECK)
    return SourceError(Trouble.UNSUPPORTED_CODEC, f"The movie file cannot be played. {error}", "Use an MP4 with H.264.")
