"""What a client hears from the appliance without asking again: live views, and answers without end."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import trio
import trio_websocket

if TYPE_CHECKING:
    import http.client
    import socket

#: No test waits longer for an answer.
PATIENCE_S = 20.0


@dataclass
class LiveView:
    """A live view as a client has it."""

    socket: trio_websocket.WebSocketConnection
    texts: list[dict[str, Any]] = field(default_factory=list)
    media: list[bytes] = field(default_factory=list)

    async def say(self, message: dict[str, Any] | str | bytes) -> None:
        await self.socket.send_message(json.dumps(message) if isinstance(message, dict) else message)

    async def want(self, **wishes: Any) -> None:
        await self.say({"type": "want", **wishes})

    async def hear(self) -> dict[str, Any] | bytes:
        """The next message; it is kept too."""
        with trio.fail_after(PATIENCE_S):
            message = await self.socket.get_message()
        if isinstance(message, bytes):
            self.media.append(message)
            return message
        told: dict[str, Any] = json.loads(message)
        self.texts.append(told)
        return told

    async def told(self, kind: str) -> dict[str, Any]:
        """The next text message of a kind; pictures may come for ever without one."""
        with trio.fail_after(PATIENCE_S):
            while True:
                message = await self.hear()
                if isinstance(message, dict) and message["type"] == kind:
                    return message

    async def stream(self, *, sound: bool) -> dict[str, Any]:
        """The next announcement with or without sound."""
        with trio.fail_after(PATIENCE_S):
            while ("mp4a" in (told := await self.told("stream"))["mime"]) is not sound:
                pass
        return told

    async def fragments(self, count: int) -> list[bytes]:
        """The next so many binary messages."""
        found: list[bytes] = []
        while len(found) < count:
            message = await self.hear()
            if isinstance(message, bytes):
                found.append(message)
        return found

    async def end(self) -> tuple[int, str]:
        """Wait for the server to close; its code and reason."""
        with trio.fail_after(PATIENCE_S):
            while True:
                try:
                    await self.hear()
                except trio_websocket.ConnectionClosed as closed:
                    return (closed.reason.code, closed.reason.reason or "") if closed.reason else (0, "")


@dataclass
class Stream:
    """An answer that has no end of its own."""

    response: http.client.HTTPResponse
    socket: socket.socket

    async def read(self, size: int) -> bytes:
        """At least one byte, at most ``size``; empty at the end."""
        return await trio.to_thread.run_sync(self.response.read1, size)

    async def line(self) -> bytes:
        return await trio.to_thread.run_sync(self.response.readline)

    async def event(self) -> tuple[str, Any]:
        """The next Server-Sent Event: its kind and its data; a comment is an event of kind ``:``."""
        kind, data = "", None
        while line := (await self.line()).decode().rstrip("\n"):
            name, _, value = line.partition(": ")
            if not name:
                kind, data = ":", value
            elif name == "event":
                kind = value
            elif name == "data":
                data = json.loads(value)
        if not kind:
            raise EOFError
        return kind, data

    async def until(self, kind: str) -> Any:
        """The data of the next event of a kind."""
        while True:
            found, data = await self.event()
            if found == kind:
                return data
