"""Hypercorn's configuration, filled in one place."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hypercorn.config import Config

if TYPE_CHECKING:
    from appliance.serve.connection import ConnectionLimits

PING_INTERVAL_S = 10.0  # WebSocket pings; a client alive is heard at least so often
GRACE_S = 3.0  # what requests in flight get when we stop
START_S = 30.0  # what the application gets to start, and to stop


def hypercorn_config(limits: ConnectionLimits) -> Config:
    """The configuration for connections with these limits.

    What is not here is not used: sockets, TLS, lifespan and most time-outs are ours.
    """
    config = Config()
    config.accesslog = None  # addresses and paths of people are nobody's log by default
    config.errorlog = logging.getLogger("appliance.serve.hypercorn")
    config.include_server_header = False
    config.alpn_protocols = ["http/1.1"]
    config.h11_max_incomplete_size = limits.head_bytes
    config.websocket_max_message_size = limits.messages.message_bytes
    config.websocket_ping_interval = PING_INTERVAL_S
    return config
