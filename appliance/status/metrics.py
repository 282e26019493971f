"""The text that Prometheus reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Series:
    """One metric: its values by label values, in the order of ``labels``."""

    name: str
    about: str
    values: dict[tuple[str, ...], float]
    labels: tuple[str, ...] = ()
    is_counter: bool = False


@dataclass(eq=False)
class _Once:
    """A collector that gives what it was given."""

    series: Iterable[Series] = field(default_factory=tuple)

    def collect(self) -> Iterator[Metric]:
        for one in self.series:
            family = CounterMetricFamily if one.is_counter else GaugeMetricFamily
            metric = family(one.name, one.about, labels=one.labels)
            for labels, value in one.values.items():
                metric.add_metric(list(labels), value)
            yield metric


def render(series: Iterable[Series]) -> bytes:
    """The exposition text of some series."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(series))
    return generate_latest(registry)
