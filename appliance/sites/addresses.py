"""Addresses of cameras: what a person may type, and which places no camera is (abuse A11).

An administrator's address may be private or loopback, for that is where cameras are; never the metadata service of a
cloud, which gives away the machine's own credentials.  Messages say what is wrong and repeat nothing that could be a
password.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import unquote

from appliance.base.faults import Fault, Kind, invalid
from appliance.base.hosts import clean_host, is_address
from appliance.base.secrets import Secret
from appliance.sites.rtsp.options import Options, Way, read_fingerprint, read_way, split_http_options, split_options
from appliance.sites.rtsp.target import PASSWORD_LIMIT, USERNAME_LIMIT
from appliance.sites.rtsp.urls import DEFAULT_PORTS, HTTP_PORTS

URL_LIMIT: Final = 2048
#: Streams of the demo camera are ``demo:main`` and ``demo:sub``.
DEMO_SCHEME: Final = "demo:"
DEMO_STREAMS: Final = ("main", "sub")
#: A movie file of this machine, played in a loop: ``file:/path``.
FILE_SCHEME: Final = "file:"
_SCHEMES: Final = frozenset({*DEFAULT_PORTS, *HTTP_PORTS})

_METADATA_NAMES: Final = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"}
)
_METADATA: Final = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Azure, Google, Oracle, OpenStack and most others
        "169.254.169.253",  # AWS's resolver
        "169.254.170.2",  # AWS, credentials of containers
        "169.254.170.23",  # AWS, credentials of pods
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure's host
        "192.0.0.192",  # Oracle
        "fd00:ec2::254",
        "fd00:ec2::253",
        "fd00:ec2::23",
        "fd20:ce::254",  # Google
        "fe80::a9fe:a9fe",  # OpenStack
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052


@dataclass(frozen=True, slots=True)
class CameraAddress:
    """An address without credentials, and the credentials that stood in it (None: none stood there)."""

    url: str
    host: str  # canonical; "" for a demo stream
    username: str | None = field(default=None, repr=False)
    password: Secret | None = None


def validate_camera_url(text: str, *, local: bool, field: str = "url") -> CameraAddress:
    """Read ``rtsp[s]://[user[:password]@]host[:port]/path[#options]`` or ``http[s]://…``; the path stays byte for byte.

    ``local``: the caller is this program or sits at this machine, and may name streams of the demo camera, and files.
    Raises `Fault` ``invalid_url``, or ``unsupported_scheme``, with the name of the ``field``.
    """
    text = text.strip(" ")
    if len(text) > URL_LIMIT:
        raise _wrong(field, f"The address has {len(text)} characters.", f"Use {URL_LIMIT} at most.")
    bad = next((ch for ch in text if unicodedata.category(ch) in {"Cc", "Cs", "Zl", "Zp"}), None)
    if bad is not None:
        raise _wrong(field, f"The address has the character U+{ord(bad):04X}, which does not show.", "Leave it out.")
    if local and text.startswith(DEMO_SCHEME):
        if text.removeprefix(DEMO_SCHEME) not in DEMO_STREAMS:
            raise _wrong(field, "The demo camera has no such stream.", f"Its streams are {', '.join(DEMO_STREAMS)}.")
        return CameraAddress(text, "")
    if local and text.startswith(FILE_SCHEME):
        return CameraAddress(_file(text, field), "")
    scheme, separator, rest = text.partition("://")
    if not separator:
        raise _wrong(field, "The address does not begin with rtsp://.", "Write it as rtsp://host/path.")
    scheme = scheme.lower()
    if scheme not in _SCHEMES:
        raise Fault(
            Kind.UNSUPPORTED,
            "unsupported_scheme",
            f"Addresses that begin with {scheme[:20]}:// cannot be used.",
            "Use the camera's rtsp://, rtsps://, http:// or https:// address.",
            field=field,
        )
    end = min((at for at in (rest.find(mark) for mark in "/?#") if at >= 0), default=len(rest))
    authority, path = rest[:end], rest[end:]
    userinfo, at_sign, place = authority.rpartition("@")
    try:
        host, port = _host_and_port(place, field)
    except Fault:
        if "@" in path:  # rtsp://user:pa/ss@host: the first of these signs ended the host
            raise _wrong(
                field, f"The sign {path[0]} in a user name or password has to be written {_ESCAPES[path[0]]}.",
                "Or give the user name and the password apart from the address.",
            ) from None  # fmt: skip
        raise
    path, options = _options(scheme, path, field)
    if scheme == "rtsps" and options.way is Way.UDP:
        raise _wrong(field, "Over UDP nothing is encrypted, and rtsps:// asks for that.", "Leave one of the two out.")
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}{'' if port is None else f':{port}'}{path}{options}"
    if not at_sign:
        return CameraAddress(url, host)
    username, colon, password = userinfo.partition(":")
    return CameraAddress(
        url,
        host,
        check_username(_decoded(username, "user name", field), field=field),
        check_password(Secret(_decoded(password, "password", field)), field=field) if colon else None,
    )


def with_options(url: str, transport: str | None, fingerprint: str | None) -> str:
    """A kept address with other options; None leaves one as it is, an empty text takes it away.

    Raises `Fault` ``invalid_transport``, ``invalid_fingerprint``, ``invalid_url``.
    """
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in _SCHEMES:
        raise invalid("invalid_transport", "This camera is not reached over a network.", field="transport")
    if scheme in HTTP_PORTS and transport not in (None, "", Way.AUTO.value):
        raise invalid("invalid_transport", "Over HTTP there is one transport only.", field="transport")
    rest, options = (split_http_options if scheme in HTTP_PORTS else split_options)(url)
    try:
        way = options.way if transport is None else read_way(transport or Way.AUTO.value)
    except ValueError as error:
        raise invalid("invalid_transport", str(error), field="transport") from None
    try:
        pin = options.fingerprint if fingerprint is None else read_fingerprint(fingerprint) if fingerprint else None
    except ValueError as error:
        raise invalid("invalid_fingerprint", str(error), field="fingerprint") from None
    return validate_camera_url(f"{rest}{replace(options, way=way, fingerprint=pin)}", local=True, field="transport").url


def check_username(text: str, *, field: str = "username") -> str:
    """Raise `Fault` ``invalid_credentials`` for what cannot be sent to a camera as a user name."""
    _check(text, USERNAME_LIMIT, "user name", field)
    return text


def check_password(password: Secret, *, field: str = "password") -> Secret:
    """Raise `Fault` ``invalid_credentials`` for what cannot be sent to a camera as a password."""
    _check(password.reveal(), PASSWORD_LIMIT, "password", field)
    return password


def refuse_address(ip: str) -> str | None:
    """Why no connection is made to this address, to be asked of each one that a name resolves to; None: it may be."""
    try:
        address = ip_address(ip.partition("%")[0])
    except ValueError:
        return "it is not an IP address"
    inner = _inside(address) if isinstance(address, IPv6Address) else None
    if {address, inner} & _METADATA:
        return "it is the metadata service of a cloud"
    for each in (address, inner):
        if each is None:
            continue
        if each.is_unspecified or each.is_multicast or each == IPv4Address("255.255.255.255"):
            return "it is not the address of one machine"
    return None


_ESCAPES: Final = {"/": "%2F", "?": "%3F", "#": "%23"}


def _options(scheme: str, path: str, field: str) -> tuple[str, Options]:
    try:
        return split_http_options(path) if scheme in HTTP_PORTS else split_options(path)
    except ValueError as error:
        raise _wrong(field, str(error), "Correct what stands behind the #.") from None


def _file(text: str, field: str) -> str:
    """``file:/path`` as it is, ``file:///path`` with its percent signs decoded."""
    path = text.removeprefix(FILE_SCHEME)
    if path.startswith("//"):
        path = _decoded(path[2:], "path", field)
    if not path.startswith("/") or "\0" in path or any(unicodedata.category(char) == "Cc" for char in path):
        raise _wrong(field, "The address names no file of this machine.", "Write it as file:/folder/movie.mp4.")
    return f"{FILE_SCHEME}{path}"


def _inside(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address leads to: mapped, NAT64, 6to4, or (long out of use) compatible."""
    if address in _NAT64 or 1 < int(address) < 1 << 32:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


def _host_and_port(place: str, field: str) -> tuple[str, int | None]:
    if place.startswith("["):
        inside, bracket, rest = place[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise _wrong(
                field, "The IPv6 address is not closed by a bracket.", "Write it as rtsp://[2001:db8::1]/path."
            )
        typed, port = f"[{inside}]", rest[1:]
    else:
        typed, _, port = place.partition(":")
        if ":" in port:
            raise _wrong(field, "The host has more than one colon.", "Put an IPv6 address into brackets.")
    if not typed:
        raise _wrong(field, "The address names no host.", "Write it as rtsp://host/path, or http://host/path.")
    try:
        host = clean_host(typed)
    except ValueError as error:
        raise _wrong(field, str(error), "Use a host name or an IP address.") from None
    if host in _METADATA_NAMES:
        raise _wrong(field, f"{host} cannot be a camera: it is the metadata service of a cloud.", "Use another host.")
    why = refuse_address(host) if is_address(host) else None
    if why is not None:
        raise _wrong(field, f"{host} cannot be a camera: {why}.", "Use another host.")
    if not port:
        return host, None
    if not (port.isascii() and port.isdigit()):
        raise _wrong(field, "The port is not a number.", "Use 1 to 65535, or leave it out.")
    if len(port) > 5 or not 1 <= int(port) <= 65535:
        raise _wrong(field, f"The port {port[:20]} does not exist.", "Use 1 to 65535.")
    return host, int(port)


def _decoded(text: str, what: str, field: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        hint = "Give the user name and the password apart from the address."
        raise _wrong(field, f"The {what} in the address is not UTF-8.", hint) from None


def _check(text: str, limit: int, what: str, field: str) -> None:
    fault: Fault | None = None
    if len(text) > limit:
        fault = invalid("invalid_credentials", f"The {what} has more than {limit} characters.", field=field)
    elif any(unicodedata.category(ch) in {"Cc", "Cs"} for ch in text):
        fault = invalid("invalid_credentials", f"The {what} has a character that does not show.", field=field)
    if fault is not None:
        raise fault


def _wrong(field: str, message: str, hint: str) -> Fault:
    return invalid("invalid_url", message, hint, field=field)
