"""The addresses of this machine, as the kernel lists them (rtnetlink(7))."""

from __future__ import annotations

import socket
import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

# linux/netlink.h and linux/rtnetlink.h
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_RTM_NEWADDR, _RTM_GETADDR = 20, 22
_NLM_F_REQUEST, _NLM_F_DUMP = 0x1, 0x300
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS = 1, 2, 8
# Not for others to use: a privacy address that changes daily, a duplicate, one on its way out or being tried out
_IFA_F_TEMPORARY, _IFA_F_DADFAILED, _IFA_F_DEPRECATED, _IFA_F_TENTATIVE = 0x01, 0x08, 0x20, 0x40
_UNFIT = _IFA_F_TEMPORARY | _IFA_F_DADFAILED | _IFA_F_DEPRECATED | _IFA_F_TENTATIVE

_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_ADDRESS = struct.Struct("=BBBBI")  # ifaddrmsg: family, prefix length, flags, scope, index
_ATTRIBUTE = struct.Struct("=HH")  # rtattr: length, type

Address = IPv4Address | IPv6Address


def interface_addresses() -> list[Address]:
    """Every address others may reach this machine by, loopback included, sorted, IPv4 first.

    Without IPv6 link-local addresses, which mean nothing without an interface's name, and temporary ones, which
    change daily.  Raises `OSError`.
    """
    found: set[Address] = set()
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as netlink:
        netlink.settimeout(2.0)  # the kernel answers at once; a mistake of ours must not hang the start
        netlink.send(
            _HEADER.pack(_HEADER.size + _ADDRESS.size, _RTM_GETADDR, _NLM_F_REQUEST | _NLM_F_DUMP, 1, 0)
            + _ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
        )
        while True:
            addresses, done = parse_addresses(netlink.recv(1 << 16))
            found.update(addresses)
            if done:
                return sorted(found, key=lambda address: (address.version, int(address)))


def parse_addresses(data: bytes) -> tuple[set[Address], bool]:
    """The addresses in a piece of the kernel's answer, and whether it is the last.  Raises `OSError`."""
    found: set[Address] = set()
    position = 0
    while position + _HEADER.size <= len(data):
        length, kind, _, _, _ = _HEADER.unpack_from(data, position)
        if kind == _NLMSG_DONE or length < _HEADER.size:
            return found, True
        if kind == _NLMSG_ERROR:
            raise OSError("the kernel does not list its addresses")
        if kind == _RTM_NEWADDR:
            try:
                address = _address(data[position + _HEADER.size : position + length])
            except (struct.error, ValueError) as error:
                raise OSError("the kernel's list of addresses cannot be read") from error
            if address is not None:
                found.add(address)
        position += _aligned(length)
    return found, False


def _address(message: bytes) -> Address | None:
    family, _, flags, _, _ = _ADDRESS.unpack_from(message)
    raw: dict[int, bytes] = {}
    position = _ADDRESS.size
    while position + _ATTRIBUTE.size <= len(message):
        length, kind = _ATTRIBUTE.unpack_from(message, position)
        if length < _ATTRIBUTE.size:
            break
        raw[kind] = message[position + _ATTRIBUTE.size : position + length]
        position += _aligned(length)
    if _IFA_FLAGS in raw:
        flags = int.from_bytes(raw[_IFA_FLAGS], "little")
    # on a point-to-point link IFA_ADDRESS is the other end
    own = raw.get(_IFA_LOCAL, raw.get(_IFA_ADDRESS))
    if own is None or flags & _UNFIT or family not in (socket.AF_INET, socket.AF_INET6):
        return None
    address = ip_address(own)
    return None if address.version == 6 and address.is_link_local else address


def _aligned(length: int) -> int:
    return (length + 3) & ~3
