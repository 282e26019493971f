"""AudioSpecificConfig as cameras and libav write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.media.aac import AudioConfigError, audio_format
from tests.media.clips import encode_aac


@pytest.mark.parametrize(
    ("config", "rate", "channels"),
    [("1408", 16_000, 1), ("1490", 12_000, 2), ("1188", 48_000, 1), ("119056e500", 48_000, 2), ("1190", 48_000, 2)],
)
def test_configurations_of_cameras(config: str, rate: int, channels: int) -> None:
    form = audio_format(bytes.fromhex(config))
    assert (form.sample_rate, form.channels, form.codec_string) == (rate, channels, "mp4a.40.2")


def test_what_libav_writes() -> None:
    form, units = encode_aac(0.3, 48_000)
    assert (form.sample_rate, form.channels, form.samples_per_unit) == (48_000, 1, 1024)
    assert units[0].duration == 1920


@pytest.mark.parametrize(
    ("config", "what"), [("0a10", "type 1"), ("1400", "layout 0"), ("1690", "rate"), ("", "wanted")]
)
def test_what_no_browser_plays_is_named(config: str, what: str) -> None:
    with pytest.raises(AudioConfigError, match=what):
        audio_format(bytes.fromhex(config))


@given(st.binary(max_size=20))
def test_garbage_is_a_named_error_or_a_sane_format(config: bytes) -> None:
    try:
        form = audio_format(config)
    except AudioConfigError:
        return
    assert 7350 <= form.sample_rate <= 96_000
    assert 1 <= form.channels <= 8
