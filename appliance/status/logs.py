"""Logs: to the terminal and to files in the data folder, one a day, without secrets (row GEN-9, abuse A25).

Records are formatted and written in a thread of their own: a slow disk or terminal holds up nobody.
"""

from __future__ import annotations

import logging
import queue
import sys
from collections import deque
from contextlib import contextmanager, suppress
from logging.handlers import QueueHandler, QueueListener, TimedRotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from appliance.base.faults import Fault, Kind
from appliance.base.secrets import redact
from appliance.base.texts import visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Thread

FOLDER = "logs"
NAME = "fanal.log"
LEVELS = ("debug", "info", "warning", "error")
#: Records that may wait for the disk; more are dropped and counted rather than kept.
WAITING = 10_000
#: How long the end waits for the disk.
END_S = 5.0
#: Records that are kept before there are logs: a migration tells the most, some dozens.
EARLY = 1000
#: Libraries that tell more than anybody wants to know.
_QUIET = {"alembic": logging.WARNING, "hypercorn": logging.WARNING}
_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class RedactingFormatter(logging.Formatter):
    """Whatever a record says loses its secrets here and stays on one line; the lines of an exception are set in."""

    def format(self, record: logging.LogRecord) -> str:
        record.name = record.name.removeprefix("appliance.")
        return redact(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the library's name)
        return visible(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 (the library's name)
        return _set_in(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 (the library's name)
        return _set_in(super().formatStack(stack_info))


def _set_in(text: str) -> str:
    return "\n".join(f"    {visible(line)}" for line in text.split("\n"))


class _Queue(QueueHandler):
    """Hands records to the writing thread as they are: formatting is its business."""

    def __init__(self, records: queue.Queue[logging.LogRecord]) -> None:
        super().__init__(records)
        self.lost = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.lost += 1


class _Listener(QueueListener):
    """The writing thread.  Ends after what waits is written, or soon, if the disk or the terminal does not take it."""

    def __init__(self, records: queue.Queue[logging.LogRecord], *handlers: logging.Handler) -> None:
        super().__init__(records, *handlers)
        self._records: queue.Queue[Any] = records

    def stop(self) -> None:
        thread: Thread | None = self._thread
        self._thread = None
        with suppress(queue.Full):
            self._records.put(None, timeout=END_S)  # the library's word for the end
            if thread is not None:
                thread.join(END_S)


class Logs:
    """The running log.  ``days`` may be changed while it runs."""

    def __init__(self, file: TimedRotatingFileHandler, records: _Queue) -> None:
        self._file = file
        self._records = records

    def keep(self, days: int) -> None:
        """Keep so many days beside today's; older files go now, and at each midnight."""
        self._file.backupCount = days
        for old in self._file.getFilesToDelete():
            with suppress(OSError):  # gone meanwhile
                Path(old).unlink()

    @property
    def lost(self) -> int:
        """Records that were dropped because they came faster than they could be written."""
        return self._records.lost

    @property
    def path(self) -> str:
        return self._file.baseFilename


class Early(logging.Handler):
    """Keeps what is logged before there are logs: they need a data folder that is ours, and settings."""

    def __init__(self) -> None:
        super().__init__()
        self._records: deque[logging.LogRecord] = deque(maxlen=EARLY)

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)

    def take(self) -> list[logging.LogRecord]:
        records = list(self._records)
        self._records.clear()
        return records


@contextmanager
def keep_early(level: str) -> Iterator[Early]:
    """Keep the records of the block for `open_logs`; warnings that it did not take go on standard error at the end."""
    early = Early()
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    root.setLevel(level.upper())
    root.handlers = [early]
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(least)
    try:
        yield early
    finally:
        root.setLevel(before[0])
        root.handlers = before[1]
        screen = _screen()
        for record in early.take():
            if record.levelno >= logging.WARNING:
                screen.handle(record)


def _screen() -> logging.StreamHandler[TextIO]:
    screen = logging.StreamHandler(sys.stderr)
    screen.setFormatter(RedactingFormatter(_FORMAT, datefmt="%H:%M:%S"))
    return screen


@contextmanager
def open_logs(
    folder: Path, *, days: int, level: str, terminal: bool = True, early: Early | None = None
) -> Iterator[Logs]:
    """Log into ``folder/logs`` and on standard error until the end of the block, first what is kept in ``early``.

    Raises `Fault` ``log_folder`` when the folder cannot be written.
    """
    try:
        (folder / FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)
        file = TimedRotatingFileHandler(
            folder / FOLDER / NAME, when="midnight", backupCount=days, encoding="utf-8", delay=False
        )
    except OSError as error:
        raise Fault(
            Kind.UNAVAILABLE,
            "log_folder",
            f"Logs cannot be written to {folder / FOLDER}: {error.strerror}.",
            "Make the folder writable or free some space.",
        ) from error
    file.setFormatter(RedactingFormatter(_FORMAT))
    handlers: list[logging.Handler] = [file]
    if terminal:
        handlers.append(_screen())
    records: queue.Queue[logging.LogRecord] = queue.Queue(WAITING)
    hand_over = _Queue(records)
    listener = _Listener(records, *handlers)
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    root.setLevel(level.upper())
    root.handlers = [hand_over]
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(least)
    # a failed write (a full disk) must not print the record with a traceback for each one
    raising, logging.raiseExceptions = logging.raiseExceptions, False
    listener.start()
    for record in early.take() if early is not None else ():
        hand_over.handle(record)
    logs = Logs(file, hand_over)
    logs.keep(days)
    try:
        yield logs
    finally:
        listener.stop()
        root.setLevel(before[0])
        root.handlers = before[1]
        logging.raiseExceptions = raising
        with suppress(OSError):  # what a full disk did not take
            file.close()
