"""Which stream of which camera, and as whom."""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.base.faults import Fault, invalid
from appliance.base.secrets import Secret
from appliance.sites.rtsp.options import DEFAULT, Options
from appliance.sites.rtsp.urls import BadUrl, RtspUrl, is_http, parse_http_url, parse_url

USERNAME_LIMIT = 128
PASSWORD_LIMIT = 256


@dataclass(frozen=True, slots=True)
class RtspTarget:
    """An address without credentials, and the credentials.

    The path of an address may hold a password as well (several makers do it), so it is shown nowhere.
    """

    url: RtspUrl = field(repr=False)
    username: str = ""
    password: Secret | None = None
    allow_basic: bool = True  # whether the password may be sent in readable form when the camera knows no Digest
    options: Options = DEFAULT

    @classmethod
    def from_url(
        cls, text: str, username: str = "", password: Secret | None = None, *, allow_basic: bool = True
    ) -> RtspTarget:
        """Read what a person typed, ``rtsp[s]://`` or ``http[s]://``; credentials given apart count before those in it.

        Raises `Fault` ``invalid_url`` or ``invalid_credentials``; neither repeats what was typed.
        """
        try:
            parsed = parse_http_url(text) if is_http(text) else parse_url(text)
        except BadUrl as error:
            raise invalid("invalid_url", error.message, error.hint, field="url") from None
        if not username and parsed.username:
            username = parsed.username
            password = password or (Secret(parsed.password) if parsed.password is not None else None)
        _check(username, USERNAME_LIMIT, "user name", "username")
        _check(password.reveal() if password else "", PASSWORD_LIMIT, "password", "password")
        return cls(parsed.url, username, password, allow_basic, parsed.options)


def _check(text: str, limit: int, what: str, field_name: str) -> None:
    fault: Fault | None = None
    if len(text) > limit:
        fault = invalid("invalid_credentials", f"The {what} is longer than {limit} characters.", field=field_name)
    elif any(ord(char) < 0x20 or char == "\x7f" for char in text):
        fault = invalid("invalid_credentials", f"The {what} contains a control character.", field=field_name)
    if fault is not None:
        raise fault
