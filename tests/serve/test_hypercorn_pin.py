"""What we rely on in Hypercorn, which promises none of it.  A failure here means: read its changes, then serve/."""

from __future__ import annotations

import inspect
from importlib.metadata import version

import h11
from hypercorn.config import Config
from hypercorn.events import Closed, RawData, Updated
from hypercorn.protocol.h11 import H11Protocol, H11WSConnection
from hypercorn.protocol.ws_stream import Handshake, WebsocketBuffer, WSStream
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import TaskGroup


def parameters(function: object) -> list[str]:
    return list(inspect.signature(function).parameters)  # type: ignore[arg-type]


def source(function: object) -> str:
    return inspect.getsource(function)  # type: ignore[arg-type]


def test_the_minor_version_is_the_one_this_was_written_for() -> None:
    assert version("hypercorn").startswith("0.18.")


def test_tcp_server_is_made_and_awaited_as_we_do() -> None:
    assert parameters(TCPServer) == ["app", "config", "context", "state", "stream"]
    assert "self.send_lock = trio.Lock()" in source(TCPServer.__init__)
    assert "return self.run().__await__()" in source(TCPServer.__await__)
    own = {name for name in vars(TCPServer) if not name.startswith("__")}
    assert own == {"run", "protocol_send", "_read_data", "_close", "_idle_timeout", "_initiate_server_close"}


def test_h11_protocol_is_made_of_the_parts_we_replace() -> None:
    assert parameters(H11Protocol) == [
        "app", "config", "context", "task_group", "connection_state", "ssl", "client", "server", "send",
    ]  # fmt: skip
    for name in ("initiate", "handle", "stream_send", "_handle_events", "_create_stream", "_check_protocol",
                 "_send_h11_event", "_send_error_response", "_maybe_recycle", "_close_stream"):  # fmt: skip
        assert inspect.iscoroutinefunction(getattr(H11Protocol, name)), name
    assert parameters(H11Protocol._create_stream) == ["self", "request"]
    assert parameters(H11Protocol._check_protocol) == ["self", "event"]


def test_our_checks_come_before_the_application() -> None:
    handling = source(H11Protocol._handle_events)
    assert handling.index("Updated(idle=False)") < handling.index("_check_protocol") < handling.index("_create_stream")
    assert "self.connection.next_event()" in handling
    # h2 is reached from here alone, and we replace it
    assert "H2CProtocolRequiredError" in source(H11Protocol._check_protocol)
    assert "H2" not in source(H11Protocol._create_stream) + handling


def test_a_request_ends_as_we_follow_it() -> None:
    recycling = source(H11Protocol._maybe_recycle)
    assert recycling.index("start_next_cycle()") < recycling.index("Updated(idle=True)")
    assert "self.send(Closed())" in recycling
    assert "self.context.terminated.is_set()" in recycling


def test_a_websocket_has_the_attributes_we_look_at() -> None:
    assert H11WSConnection.trailing_data == (b"", False)
    assert H11WSConnection.their_state is None
    assert not Handshake([], "1.1").accepted
    assert "self.handshake = Handshake(" in source(WSStream.handle)
    assert "self.task_group.spawn(self._send_pings)" in source(WSStream._accept)
    assert "PerMessageDeflate()" in source(Handshake.accept), "if this is optional now, use the option"
    assert parameters(WebsocketBuffer) == ["max_length"]


def test_a_task_group_is_what_ours_is() -> None:
    own = {name for name in vars(TaskGroup) if not name.startswith("_") or name in ("__aenter__", "__aexit__")}
    assert own == {"spawn_app", "spawn", "__aenter__", "__aexit__"}
    assert parameters(TaskGroup.spawn_app) == ["self", "app", "config", "scope", "send"]


def test_events_and_context_have_the_fields_we_use() -> None:
    assert RawData(b"x").data == b"x"
    assert Updated(idle=True).idle
    assert Closed() == Closed()
    assert inspect.iscoroutinefunction(WorkerContext(None).terminated.set)


def test_the_configuration_has_the_fields_we_fill() -> None:
    for name in ("accesslog", "errorlog", "include_server_header", "alpn_protocols", "h11_max_incomplete_size",
                 "websocket_max_message_size", "websocket_ping_interval", "max_app_queue_size"):  # fmt: skip
        assert hasattr(Config, name), name


def test_h11_is_as_lenient_as_we_think() -> None:
    """When it becomes strict itself, `appliance.serve.protocol.check_head` may become shorter."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(b"GET / HTTP/1.1\nHost: a\nContent-Length: 1\nTransfer-Encoding: chunked\n\n")
    assert isinstance(connection.next_event(), h11.Request)
