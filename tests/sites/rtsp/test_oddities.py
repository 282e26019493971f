"""Every tolerated violation says what it is, and something shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.sites.rtsp.oddities import EVIDENCE, Oddities, Oddity

TESTS = Path(__file__).parent
VECTORS = TESTS.parents[1] / "vectors" / "rtsp"


def test_every_oddity_has_its_sentence() -> None:
    assert set(EVIDENCE) == set(Oddity)
    assert all(evidence.sentence.endswith(".") for evidence in EVIDENCE.values())


@pytest.mark.parametrize("oddity", list(Oddity))
def test_every_oddity_is_shown_by_a_vector_or_a_test(oddity: Oddity) -> None:
    shown_by = EVIDENCE[oddity].shown_by
    if shown_by.startswith("test_"):
        paths = TESTS.parent.glob(f"*/{shown_by}.py")
        assert any(f"Oddity.{oddity.name}" in path.read_text() for path in paths)
    else:
        assert Path(shown_by).stem == oddity.value
        assert list(VECTORS.glob(f"*/{shown_by}"))


def test_names_are_collected_where_they_are_wanted() -> None:
    names: set[str] = set()
    Oddities(names).note(Oddity.CSEQ_WRONG)
    assert names == {"cseq_wrong"}
