"""The parameter sets of one stream: those announced, then those that come with the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.media.parameter_sets import ParameterSetError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from appliance.media.parameter_sets import Family
    from appliance.media.units import VideoFormat

#: Of one type; cameras have one or two.
SETS_LIMIT = 32


class ParameterSets:
    """A sequence parameter set begins a new collection of picture parameter sets; those that come alone join it."""

    def __init__(self, family: Family, announced: Sequence[bytes]) -> None:
        self._family = family
        self._sets = {kind: [nal for nal in announced if family.kind(nal) == kind] for kind in family.sets}

    def take(self, nals: Sequence[bytes], *, in_force: bool) -> VideoFormat:
        """The format with these, which came together.

        Raises `ParameterSetError` where there is none; they are forgotten then if a format is ``in_force``, else kept:
        parameter sets may come one by one.
        """
        family = self._family
        picture = family.sets[-1]
        came = {kind: [nal for nal in nals if family.kind(nal) == kind] for kind in family.sets}
        sets = {kind: self._latest(came[kind]) or self._sets[kind] for kind in family.sets}
        if not (came[family.sequence] and came[picture]):
            sets[picture] = self._latest([*self._sets[picture], *came[picture]])
        try:
            made = family.make([nal for kind in family.sets for nal in sets[kind]])
        except ParameterSetError:
            if not in_force:
                self._sets = sets
            raise
        self._sets = sets
        return made

    def _latest(self, nals: Iterable[bytes]) -> list[bytes]:
        """Of parameter sets with one number the last, in order of their numbers, not more than there may be."""
        found: dict[int, bytes] = {}
        for nal in nals:
            found[self._family.number(nal)] = nal
        return [found[number] for number in sorted(found)][:SETS_LIMIT]
