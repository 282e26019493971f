"""Board, load and metrics."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from appliance.status.board import Attention, Board, Severity
from appliance.status.load import Load
from appliance.status.metrics import Series, render


def test_what_wants_attention_is_listed_urgent_first_until_it_is_taken_off() -> None:
    board = Board(0)
    board.attend("a", Attention("first_password", "The first password is in force."))
    board.attend("b", Attention("disk_full", "The disk is full.", severity=Severity.URGENT))
    assert [item.code for item in board.attention] == ["disk_full", "first_password"]
    board.attend("b", None)
    assert [item.code for item in board.attention] == ["first_password"]


def test_load_is_the_mean_between_two_samples(tmp_path: Path) -> None:
    def write(busy: int, idle: int, own: int) -> None:
        (tmp_path / "stat").write_text(f"cpu {busy} 0 0 {idle} 0 0 0 0 0 0\ncpu0 1\n")
        (tmp_path / "self").mkdir(exist_ok=True)
        (tmp_path / "self" / "stat").write_text("1 (a b) c) S " + "0 " * 10 + f"{own} 0 0 0\n")
        (tmp_path / "self" / "statm").write_text("1000 500 0\n")

    load = Load(tmp_path)
    write(1000, 9000, 100)
    load.sample(0.0, [], 0)
    write(1500, 9500, 300)
    sample = load.sample(10.0, [], 50_000)
    assert sample.machine == pytest.approx(0.5)
    assert sample.own == pytest.approx(0.2)
    assert sample.main == pytest.approx(0.2)
    assert sample.sent == 5000
    assert sample.memory == 500 * 4096
    write(2500, 9500, 300)
    load.sample(20.0, [], 50_000)
    mean = load.mean(2)
    assert mean is not None
    assert (mean.at, mean.machine, mean.main) == (20.0, pytest.approx(0.75), pytest.approx(0.1))
    assert Load(tmp_path).mean(2) is None


def test_load_of_this_machine_is_sane() -> None:
    load = Load()
    load.sample(0.0, [1], 0)
    sample = load.sample(1.0, [999_999_999], 0)
    assert 0 <= sample.machine <= 1
    assert sample.memory > 1 << 20


def test_prometheus_reads_what_is_written() -> None:
    text = render(
        [
            Series("fanal_viewers", "Live views now.", {(): 3}),
            Series("fanal_sent_bytes", "Sent.", {("main", 'a"b\\c\n'): 5}, ("stream", "camera"), is_counter=True),
        ]
    ).decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert families["fanal_viewers"].samples[0].value == 3
    sample = families["fanal_sent_bytes"].samples[0]
    assert (sample.name, sample.labels["camera"], sample.value) == ("fanal_sent_bytes_total", 'a"b\\c\n', 5)
