"""The committed figures of accuracy are current and no estimate got worse."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from generator import accuracy, catalog
from generator.scoring import QUANTITIES

ROOT = Path(__file__).parent.parent


@cache
def measured() -> tuple[accuracy.Accuracy, ...]:
    known = catalog.load(ROOT)
    return tuple(accuracy.measure(quantity, known, ROOT) for quantity in QUANTITIES)


def test_no_committed_figure_got_worse() -> None:
    assert accuracy.worse(accuracy.figures(measured()), accuracy.committed(ROOT)) == []


def test_the_committed_points_are_those_of_today() -> None:
    committed = {(p.quantity, p.id): p for p in accuracy.load_points(ROOT)}
    today = accuracy.points(measured())
    assert {(p.quantity, p.id) for p in today} == set(committed), "run `python -m generator accuracy --write`"
    for point in today:
        before = committed[point.quantity, point.id]
        assert point.predicted == pytest.approx(before.predicted, rel=2e-3), point


@pytest.mark.parametrize(
    ("quantity", "share"), [("memory", 0.95), ("train-speed", 0.95), ("prefill-speed", 0.9), ("decode-speed", 0.9)]
)
def test_nearly_every_trusted_row_is_answered(quantity: str, share: float) -> None:
    score = next(a for a in measured() if a.quantity == quantity).score()
    assert score.answered >= share * score.rows


def test_bands_hold_most_of_the_measurements() -> None:
    for found in measured():
        covered = found.score().covered
        assert covered is not None and covered >= 0.8, found.quantity


def test_rows_that_are_not_answered_say_why() -> None:
    for found in measured():
        for row in found.rows:
            assert bool(row["predicted"]) != bool(row["skipped_reason"]), row["id"]
