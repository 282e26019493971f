"""How a conversation with a camera can fail.  Whatever it sends, the core raises one of these and nothing else."""

from __future__ import annotations


class RtspError(Exception):
    """``message`` says what happened, ``hint`` what to do about it; neither holds a secret or a path."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class BadMessage(RtspError):
    """What came is not RTSP, SDP or RTP as anybody speaks it, or is larger than we take."""


class Refused(RtspError):
    """The camera understood a request and said no."""

    def __init__(self, method: str, code: int, reason: str, hint: str = "") -> None:
        super().__init__(f"The camera answered {method} with {code} {reason}".rstrip() + ".", hint)
        self.method = method
        self.code = code


class BadCredentials(RtspError):
    """User name or password are wrong or missing, or only ways of proving them are offered that we do not go."""


class Unsupported(RtspError):
    """What the camera offers is understood, and not something that this version does."""


class UnsupportedCodec(Unsupported):
    """No video that this version plays; the message names what there is."""


class NoAnswer(RtspError):
    """The camera does not answer a request, or sends no more pictures."""


class NameNotAnswered(NoAnswer):
    """No name server tells what the camera's name is."""


class Ended(RtspError):
    """The camera ended the session."""


class Redirected(RtspError):
    """The camera sends us elsewhere; ``location`` is what it says, not checked."""

    def __init__(self, location: str) -> None:
        super().__init__("The camera sends us on to another address.")
        self.location = location
