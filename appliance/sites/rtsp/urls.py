"""Addresses of cameras, RTSP's and HTTP's: kept byte for byte, never those of another host than was typed (abuse A11).

Cameras compare addresses as text, so nothing is normalised.  What a camera tells (Content-Base, control attributes,
RFC 2326 §C.1.1) is a path on the connection we have: its host is checked, and then replaced by the one typed in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import AddressValueError, IPv6Address, ip_address
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from appliance.sites.rtsp.errors import BadMessage, RtspError
from appliance.sites.rtsp.fields import is_number
from appliance.sites.rtsp.oddities import Oddities, Oddity
from appliance.sites.rtsp.options import DEFAULT, Options, Way, split_http_options, split_options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from appliance.sites.rtsp.errors import Redirected
    from appliance.sites.rtsp.messages import Headers

#: IANA's; a tunnel goes to where web servers are.
DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322}
TUNNEL_PORTS = {"rtsp": 80, "rtsps": 443}
HTTP_PORTS = {"http": 80, "https": 443}
_PORTS = {**DEFAULT_PORTS, **HTTP_PORTS}
URL_LIMIT = 2048
_HOST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")
# everything visible stays as it is; spaces and what is not ASCII are percent-encoded
_KEPT = "".join(chr(code) for code in range(0x21, 0x7F))


class BadUrl(RtspError):
    """Not an address of a camera."""


@dataclass(frozen=True, slots=True)
class RtspUrl:
    """``path`` begins with ``/`` (or ``?``) and holds the query; ``host`` is without brackets.

    Also of cameras that speak HTTP, whose addresses have the same parts.
    """

    host: str
    port: int
    path: str
    scheme: str = "rtsp"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == self.default_port else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"

    @property
    def default_port(self) -> int:
        return _PORTS[self.scheme]

    @property
    def is_secure(self) -> bool:
        return self.scheme in ("rtsps", "https")

    @property
    def place(self) -> str:
        """Host and port, for messages: a path may hold a password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ParsedUrl:
    url: RtspUrl
    username: str | None  # percent-decoded; None: not said
    password: str | None
    options: Options = DEFAULT


def parse_url(text: str) -> ParsedUrl:
    """Read ``rtsp[s]://[user[:password]@]host[:port]/path[#options]``.  Raises `BadUrl`; it never repeats the text."""
    return _parse(text, DEFAULT_PORTS, split_options)


def is_http(text: str) -> bool:
    """Whether an address is one of HTTP's."""
    return text.strip().partition("://")[0].lower() in HTTP_PORTS


def parse_http_url(text: str) -> ParsedUrl:
    """The same of ``http[s]://…``."""
    return _parse(text, HTTP_PORTS, split_http_options)


def _parse(text: str, schemes: Mapping[str, int], split: Callable[[str], tuple[str, Options]]) -> ParsedUrl:
    text = text.strip()
    if len(text) > URL_LIMIT:
        raise BadUrl(f"The address has {len(text)} characters.", f"At most {URL_LIMIT} make sense.")
    if any(ord(char) < 0x20 or char == "\x7f" for char in text):
        raise BadUrl("The address contains a control character.")
    scheme, separator, rest = text.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in schemes:
        first, second = schemes
        raise BadUrl(f"The address does not begin with {first}:// or {second}://.", f"Write it as {first}://host/path.")
    end = min((at for at in (rest.find(mark) for mark in "/?#") if at >= 0), default=len(rest))
    authority, path = rest[:end], rest[end:]
    try:
        path, options = split(path)
    except ValueError as error:
        raise BadUrl(str(error)) from None
    if scheme == "rtsps" and options.way is Way.UDP:
        raise BadUrl("Over UDP nothing is encrypted, and rtsps:// asks for that.", "Leave one of the two out.")
    userinfo, at_sign, place = authority.rpartition("@")
    username, colon, password = userinfo.partition(":")
    host, port = _host_and_port(place)
    ports = TUNNEL_PORTS if options.way is Way.HTTP else schemes
    path = quote(path, safe=_KEPT)
    return ParsedUrl(
        RtspUrl(host, port or ports[scheme], path if path.startswith(("/", "?")) else f"/{path}", scheme),
        unquote(username) if at_sign else None,
        unquote(password) if colon else None,
        options,
    )


def _host_and_port(place: str) -> tuple[str, int | None]:
    if place.startswith("["):
        host, bracket, rest = place[1:].partition("]")
        try:
            IPv6Address(host)
        except AddressValueError:
            raise BadUrl("The address has no valid IPv6 address between its brackets.") from None
        if not bracket or (rest and not rest.startswith(":")):
            raise BadUrl("The address has something strange behind its host.")
        port = rest[1:]
    else:
        host, _, port = place.partition(":")
        if not host or not set(host) <= _HOST or len(host) > 253:
            raise BadUrl("The address names no valid host.", "Use a host name or an IP address.")
    if not port:
        return host, None
    if not is_number(port) or not 0 < int(port) < 65536:
        raise BadUrl("The address has no valid port.", "Ports go from 1 to 65535.")
    return host, int(port)


def same_host(one: RtspUrl, other: RtspUrl) -> bool:
    return one.host.lower().rstrip(".") == other.host.lower().rstrip(".")


def redirected(error: Redirected, url: RtspUrl, new: RtspUrl) -> RtspUrl:
    """Where a redirection leads, if that is the same host (abuse A11); else the redirection is the error."""
    if not same_host(new, url):
        raise error
    if url.is_secure and not new.is_secure:
        raise RtspError("The camera sends us on to where nothing is encrypted, which is not followed.")
    return replace(new, host=url.host)


def learned_url(text: str, typed: RtspUrl, oddities: Oddities) -> RtspUrl:
    """An absolute address that the camera gave, as one of the typed host.  Raises `BadMessage` if it may not be that.

    Only a difference of the address is bridged: the camera gives an IP address (its inner one), or names itself
    otherwise but leads into the typed path.
    """
    try:
        parsed = parse_url(text)
    except BadUrl as error:
        raise BadMessage(f"The camera gave an address that cannot be read. {error.message}") from None
    if parsed.username is not None:
        oddities.note(Oddity.CREDENTIALS_IN_URL)
    url = parsed.url
    if url.scheme != typed.scheme:
        oddities.note(Oddity.SCHEME_OTHER)
    usual = url.scheme != typed.scheme and url.port == DEFAULT_PORTS[url.scheme]
    if same_host(url, typed) and (url.port == typed.port or usual):
        return replace(url, host=typed.host, port=typed.port, scheme=typed.scheme)
    if not same_host(url, typed) and not _is_address(url.host) and not url.path.startswith(typed.path.rstrip("/")):
        raise BadMessage(
            "The camera sends us to another host, which is not followed.", "Enter the address of that host instead."
        )
    oddities.note(Oddity.INNER_ADDRESS)
    return replace(url, host=typed.host, port=typed.port, scheme=typed.scheme)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def base_url(headers: Headers, requested: RtspUrl, oddities: Oddities) -> RtspUrl:
    """What control attributes count from (RFC 2326 §C.1.1)."""
    text = headers.get("Content-Base") or headers.get("Content-Location")
    if not text:
        return requested
    if "://" not in text and text[:1] not in ("/", ""):
        oddities.note(Oddity.CONTENT_BASE_WITHOUT_SCHEME)
        text = f"rtsp://{text}"
    elif text.startswith("/"):
        text = str(replace(requested, path=text))
    try:
        parse_url(text)
    except BadUrl:
        oddities.note(Oddity.CONTENT_BASE_UNREADABLE)
        return requested
    return learned_url(text, requested, oddities)


def control_url(control: str | None, base: RtspUrl, typed: RtspUrl, oddities: Oddities) -> RtspUrl:
    """Where to send the requests of what has this control attribute.

    RFC 2326 §C.1.1 resolves relative ones like web links; every camera and client appends them to the base instead,
    also behind a query, so that is what we do.
    """
    if not control or control == "*":
        return base
    scheme, separator, _ = control.partition("://")
    if separator and scheme.isalnum():
        return learned_url(control, typed, oddities)
    if any(ord(char) < 0x20 or char == "\x7f" for char in control) or len(control) > URL_LIMIT:
        raise BadMessage("The camera gave a control address that cannot be one.")
    path = base.path
    if control.startswith("/") or (control.startswith("?") and "?" not in path):
        path = path.rstrip("/") if control.startswith("/") else path
    elif not path.endswith("/"):
        path += "/"
    return replace(base, path=path + quote(control, safe=_KEPT))
