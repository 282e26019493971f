"""AAC's AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1): what a browser has to know of the sound."""

from __future__ import annotations

from appliance.media.bits import BitReader, BitsError
from appliance.media.units import AAC, AudioFormat

#: What AAC is made with here.  From 32 kHz on no decoder looks for spectral band replication that nobody announced, and
#: the shorter the frames the nearer is sound to the present.
AUDIO_RATE = 32_000
FRAME = 1024
#: Bytes of one frame and channel (ISO/IEC 14496-3 §4.5.1.1: 6144 bits), for two of them.
LARGEST_FRAME = 2 * 6144 // 8
#: A frame of silence in one channel and in two, low complexity; any decoder gives zeros for it.
SILENCE = {1: bytes.fromhex("00c800802380"), 2: bytes.fromhex("2100498002190023 80".replace(" ", ""))}
_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_CHANNELS = (0, 1, 2, 3, 4, 5, 6, 8)
_LOW_COMPLEXITY, _SBR, _PS = 2, 5, 29


class AudioConfigError(ValueError):
    """A configuration that cannot be read, or that no browser would play."""


def audio_format(config: bytes) -> AudioFormat:
    """The format that an AudioSpecificConfig describes.  Raises `AudioConfigError`.

    Only low complexity, also as the core of HE-AAC, whose players double the rate by themselves.
    """
    bits = BitReader(config)
    try:
        kind = _object_type(bits)
        rate = _rate(bits)
        layout = bits.u(4)
        if kind in (_SBR, _PS):
            _rate(bits)  # of the extension
            kind = _object_type(bits)
        if kind != _LOW_COMPLEXITY:
            raise AudioConfigError(f"AAC object type {kind}; browsers play type 2, low complexity")
        short_frames = bits.flag()
    except BitsError as error:
        raise AudioConfigError(f"audio configuration: {error}") from None
    if not 0 < layout < len(_CHANNELS):
        raise AudioConfigError(f"AAC channel layout {layout}")
    return AudioFormat(
        codec=AAC,
        codec_string=f"mp4a.40.{kind}",
        configuration=config,
        sample_rate=rate,
        channels=_CHANNELS[layout],
        samples_per_unit=960 if short_frames else 1024,
    )


def _object_type(bits: BitReader) -> int:
    kind = bits.u(5)
    return 32 + bits.u(6) if kind == 31 else kind


def _rate(bits: BitReader) -> int:
    number = bits.u(4)
    if number == 15:
        rate = bits.u(24)
        if not 7350 <= rate <= 96000:
            raise AudioConfigError(f"a sampling rate of {rate} Hz")
        return rate
    if number >= len(_RATES):
        raise AudioConfigError(f"AAC sampling rate number {number}")
    return _RATES[number]
