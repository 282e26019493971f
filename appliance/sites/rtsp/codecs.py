"""From what a camera announces to what we take of it.

H.264 video (RFC 6184 §8), H.265 video (RFC 7798 §7), MPEG-4 Visual (RFC 6416 §7), JPEG pictures (RFC 2435 §3), AAC
sound (RFC 3640 §4), G.711 sound (RFC 3551 §4.5.14).
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.media.aac import AudioConfigError, audio_format
from appliance.media.h264 import FAMILY as H264
from appliance.media.h265 import FAMILY as H265
from appliance.media.jpeg import video_format as jpeg_format
from appliance.media.mpeg4 import video_format as mpeg4_format
from appliance.media.parameter_sets import LARGEST_SIDE, ParameterSetError
from appliance.media.units import PCMA, PCMU, AudioFormat
from appliance.sites.rtsp.errors import Unsupported, UnsupportedCodec
from appliance.sites.rtsp.fields import is_number
from appliance.sites.rtsp.oddities import Oddities, Oddity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.media.parameter_sets import Family
    from appliance.media.units import VideoFormat
    from appliance.sites.rtsp.sdp import Description, Format, Media

VIDEO_CLOCK = 90_000  # RFC 6184 §8.1, RFC 7798 §7.1
#: Parameter sets read of one parameter.
SETS_LIMIT = 32
JPEG = "JPEG"
MPEG4 = "MP4V-ES"
_FAMILIES = {"H264": H264, "H265": H265}
_SETS_IN = {"H264": ("sprop-parameter-sets",), "H265": ("sprop-vps", "sprop-sps", "sprop-pps")}
# RFC 3640 §3.3.6
AAC_HBR = (13, 3, 3)
# fields of an AU header that AAC never has; with them the rest would be read wrong
_NOT_AAC = ("ctsdeltalength", "dtsdeltalength", "randomaccessindication", "streamstateindication",
            "auxiliarydatasizelength", "constantsize")  # fmt: skip
_NAMES = {"H265": "H.265", "H264": "H.264", "H263": "H.263", "JPEG": "MJPEG", "MP4V-ES": "MPEG-4", "AV1": "AV1",
          "MPV": "MPEG-2", "MP2T": "MPEG-TS", "MPEG4-GENERIC": "AAC", "MP4A-LATM": "AAC (LATM)",
          "PCMU": "G.711 µ-law", "PCMA": "G.711 A-law", "G722": "G.722", "G726-32": "G.726"}  # fmt: skip
_G711 = {"PCMU": PCMU, "PCMA": PCMA}
#: G.711 has 8000 samples a second and one channel; some cameras' has more.
G711_RATES = (8000, 48_000)
G711_CHANNELS = 2


@dataclass(frozen=True, slots=True)
class VideoPlan:
    media: Media
    family: Family
    payload_type: int
    parameter_sets: tuple[bytes, ...]  # as announced; may be none
    format: VideoFormat | None  # None: the parameter sets come with the pictures, or not at all
    fragments_announced: bool  # H.264: packetization-mode 1


@dataclass(frozen=True, slots=True)
class Mpeg4Plan:
    media: Media
    payload_type: int
    format: VideoFormat | None  # None: the headers come with the pictures, or not at all


@dataclass(frozen=True, slots=True)
class JpegPlan:
    media: Media
    payload_type: int
    format: VideoFormat | None  # None: the pictures say how large they are


@dataclass(frozen=True, slots=True)
class AudioPlan:
    media: Media
    payload_type: int
    format: AudioFormat
    clock_rate: int
    lengths: tuple[int, int, int] = AAC_HBR  # AAC: sizelength, indexlength, indexdeltalength in bits


PicturePlan = VideoPlan | Mpeg4Plan | JpegPlan


@dataclass(frozen=True, slots=True)
class Plan:
    video: PicturePlan
    audio: AudioPlan | None
    notes: tuple[str, ...]
    title: str = ""  # what the camera calls the session


def _name(media: Media) -> str:
    return name_of(media.formats[0].encoding, media.formats[0].payload_type) if media.formats else "an unnamed codec"


def name_of(encoding: str, payload_type: int) -> str:
    """A codec's name as people know it."""
    return _NAMES.get(encoding, encoding) or f"payload type {payload_type}"


def choose(description: Description, oddities: Oddities, *, audio: bool) -> Plan:
    """The first H.264 or H.265 video, where there is none MPEG-4, else JPEG, and, if wanted, the first sound that is
    AAC or G.711; what is left lying is in the notes.

    Raises `UnsupportedCodec` if there is no such video, or only in a form that we do not read.
    """
    video: VideoPlan | None = None
    spare: dict[str, PicturePlan] = {}  # by encoding: what is taken where there is no such video
    sound: AudioPlan | None = None
    notes: list[str] = []
    others: list[str] = []
    for media in description.media:
        name = _name(media)
        if media.direction == "inactive":
            continue
        if media.kind == "video":
            found = next((each for each in media.formats if each.encoding in _FAMILIES), None)
            other = next((each for each in media.formats if each.encoding in (MPEG4, JPEG)), None)
            if found is None and other is not None:
                if other.encoding in spare:
                    notes.append("video: a second one is announced and not used")
                    continue
                plan = _mpeg4(media, other, oddities) if other.encoding == MPEG4 else _pictures(media, other)
                spare[other.encoding] = plan
            elif found is None:
                others.append(name)
            elif video is not None:
                notes.append("video: a second one is announced and not used")
            else:
                video = _video(media, found, oddities)
        elif media.kind == "audio" and audio and media.direction != "sendonly":  # sendonly: a way back to the camera
            if sound is not None:
                notes.append(f"audio: a second one ({name}) is announced and not used")
                continue
            try:
                sound = _audio(media, oddities)
            except Unsupported as error:
                notes.append(f"audio: {error.message}")
        elif media.kind not in ("audio", "video"):
            notes.append(f"{media.kind}: {name} is not used")
    chosen = video or spare.pop(MPEG4, None) or spare.pop(JPEG, None)
    notes += [f"video: {_NAMES[each]} is announced as well and not used" for each in spare]
    if chosen is None:
        raise UnsupportedCodec(
            f"The camera sends {' and '.join(others)} on this stream." if others else "The camera sends no video here.",
            "Choose H.264 or H.265 in the camera's video settings, or another of its streams.",
        )
    notes += [f"video: {name} is not played yet" for name in others]
    return Plan(chosen, sound, tuple(notes), description.name)


def _mpeg4(media: Media, announced: Format, oddities: Oddities) -> Mpeg4Plan:
    made: VideoFormat | None = None
    config = announced.parameters.get("config", "")
    if config:
        try:
            made = mpeg4_format(bytes.fromhex(config))
        except ValueError:  # ParameterSetError too
            oddities.note(Oddity.PARAMETER_SETS_UNREADABLE)
    return Mpeg4Plan(media, announced.payload_type, made)


def _pictures(media: Media, announced: Format) -> JpegPlan:
    known = media.size is not None and max(media.size) <= LARGEST_SIDE
    return JpegPlan(media, announced.payload_type, jpeg_format(*media.size) if known and media.size else None)


def _video(media: Media, announced: Format, oddities: Oddities) -> VideoPlan:
    family, parameters = _FAMILIES[announced.encoding], announced.parameters
    _refuse_interleaved(announced)
    sets: list[bytes] = []
    for name in _SETS_IN[announced.encoding]:
        sets += _announced_sets(parameters.get(name, ""), family, oddities)
    made: VideoFormat | None = None
    if sets:
        try:
            made = family.make(sets)
        except ParameterSetError:
            oddities.note(Oddity.PARAMETER_SETS_UNREADABLE)
    fragments = family is H265 or parameters.get("packetization-mode") == "1"
    return VideoPlan(media, family, announced.payload_type, tuple(sets) if made else (), made, fragments)


def _refuse_interleaved(announced: Format) -> None:
    """Raise `UnsupportedCodec` for what is sent in another order than it is decoded in, or over several sessions."""
    parameters = announced.parameters
    if announced.encoding == "H264":
        interleaved, other = parameters.get("packetization-mode", "0") == "2", "Choose packetization mode 1"
    else:
        difference = parameters.get("sprop-max-don-diff", "0")
        interleaved = difference.strip("0") != "" or parameters.get("tx-mode", "SRST").upper() != "SRST"
        other = "Choose another profile or stream"
    if interleaved:
        raise UnsupportedCodec(
            f"The camera sends {_NAMES[announced.encoding]} in interleaved order, which this version does not put in "
            "order.",
            f"{other} in the camera.",
        )


def _announced_sets(text: str, family: Family, oddities: Oddities) -> Iterator[bytes]:
    """The NAL units of sprop-parameter-sets (RFC 6184 §8.1), sprop-vps, -sps and -pps (RFC 7798 §7.1)."""
    for part in text.split(",")[:SETS_LIMIT]:
        code = part.strip()
        if not code:
            continue
        if len(code) % 4:
            oddities.note(Oddity.BASE64_UNPADDED)
            code += "=" * (-len(code) % 4)
        try:
            nal = b64decode(code, validate=True)
        except (binascii.Error, ValueError):
            oddities.note(Oddity.PARAMETER_SETS_UNREADABLE)
            continue
        if nal.endswith(b"\0"):
            oddities.note(Oddity.PARAMETER_SET_TRAILING_ZEROS)
            nal = nal.rstrip(b"\0")
        if nal and family.kind(nal) in family.sets:
            yield nal
        else:
            oddities.note(Oddity.PARAMETER_SETS_UNREADABLE)


def _audio(media: Media, oddities: Oddities) -> AudioPlan:
    """Raises `Unsupported` with what there is instead."""
    announced = next((each for each in media.formats if each.encoding == "MPEG4-GENERIC"), None)
    if announced is None:
        samples = next((each for each in media.formats if each.encoding in _G711), None)
        if samples is None:
            raise Unsupported(f"{_name(media)} is not played yet")
        return _g711(media, samples)
    parameters = announced.parameters
    mode = parameters.get("mode", "").lower()
    if mode not in ("", "aac-hbr", "aac-lbr") or any(parameters.get(name, "0") != "0" for name in _NOT_AAC):
        raise Unsupported("AAC in a form other than AAC-hbr is not played yet")
    lengths = _lengths(parameters, oddities)
    try:
        made = audio_format(bytes.fromhex(parameters.get("config", "")))
    except AudioConfigError as error:
        raise Unsupported(str(error)) from None
    except ValueError:
        raise Unsupported("AAC with a configuration that cannot be read") from None
    return AudioPlan(media, announced.payload_type, made, announced.clock_rate or made.sample_rate, lengths)


def _g711(media: Media, announced: Format) -> AudioPlan:
    rate, channels = announced.clock_rate or G711_RATES[0], announced.channels or 1
    if not G711_RATES[0] <= rate <= G711_RATES[1] or not 1 <= channels <= G711_CHANNELS:
        raise Unsupported(f"{_name(media)} of {rate} Hz in {channels} channels is not played")
    made = AudioFormat(_G711[announced.encoding], "", b"", rate, channels, 0)
    return AudioPlan(media, announced.payload_type, made, rate)


def _lengths(parameters: dict[str, str], oddities: Oddities) -> tuple[int, int, int]:
    texts = [parameters.get(name) for name in ("sizelength", "indexlength", "indexdeltalength")]
    if texts[0] is None:
        oddities.note(Oddity.AAC_LENGTHS_MISSING)
        return AAC_HBR
    numbers = [int(text) if text and is_number(text) else 0 for text in texts]
    size, index, delta = numbers
    if not 1 <= size <= 16 or index > 16 or delta > 16:
        raise Unsupported("AAC with lengths that cannot be")
    return size, index, delta
