"""UDP: whatever a camera says of its ports and sends to ours, `RtspError` is the only error; what waits is bounded."""

from __future__ import annotations

from contextlib import suppress

from appliance.sites.rtsp.errors import RtspError
from appliance.sites.rtsp.oddities import Oddities
from appliance.sites.rtsp.reorder import Reorder
from appliance.sites.rtsp.transport import parse_udp_transport
from tests.reference.packets import rtp

LIMIT = 16
# a header, a line end, then packets of a fixed size
SIZE = 13
SEEDS = [
    b"RTP/AVP;unicast;client_port=5000-5001;server_port=6000-6001;ssrc=0000ABCD\n"
    + b"".join(rtp(b"x", sequence=n) for n in (1, 2, 4, 3, 9, 7, 8)),
    b"RTP/AVP/UDP;unicast;source=192.0.2.7;server_port=6000\n"
    + b"".join(rtp(b"x", sequence=n, ssrc=n & 1) for n in range(65_530, 65_560)),
]


def check(data: bytes) -> None:
    head, _, packets = data.partition(b"\n")
    with suppress(RtspError):
        found = parse_udp_transport(head.decode("latin-1"), 0, (5000, 5001), "192.0.2.7", Oddities())
        assert found.server_ports is None or all(0 < port < 65536 for port in found.server_ports)
    order, out, came = Reorder(limit=LIMIT), 0, 0
    for at in range(0, len(packets), SIZE):
        came += 1
        out += len(order.push(packets[at : at + SIZE], at / 1000))
        assert len(order) <= LIMIT
    out += len(order.expire(len(packets)))
    assert len(order) == 0
    assert out + order.late == came
