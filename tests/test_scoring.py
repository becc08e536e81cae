"""The score: what counts, how a unit is read, the confusion of fits and not."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator import scoring
from generator.verdict import NO, TIGHT, between, verdict


def row(**cells: str) -> dict[str, str]:
    base = {"id": "x", "trust": "A", "status": "ok", "source_family": "f", "model": "m", "gb_unit": "GiB"}
    return base | cells


def test_a_perfect_prediction_scores_zero() -> None:
    found = scoring.score(
        [row(measured_peak_gb_per_gpu="10", predicted="10", predicted_low="9", predicted_high="11")], "memory"
    )
    assert (found.median, found.p90, found.bias, found.under, found.covered) == (0, 0, 0, 0, 1)


@pytest.mark.parametrize(
    ("unit", "values"),
    [("GiB", (10,)), ("GB=1e9 (bytes in source)", (10e9 / 2**30,)), ("GB as printed", (10, 10e9 / 2**30)),
     ("MB as printed /1024", (10, 10 * 1024e6 / 2**30)), ("GB/GiB as printed (integer)", (10, 10e9 / 2**30))],
)  # fmt: skip
def test_a_unit_that_may_mean_two_things_is_read_both_ways(unit: str, values: tuple[float, ...]) -> None:
    assert scoring.measured(row(measured_peak_gb_per_gpu="10", gb_unit=unit), "memory")[1] == pytest.approx(values)


def test_the_nearer_reading_counts() -> None:
    assert scoring.error(row(measured_peak_gb_per_gpu="10", gb_unit="GB", predicted="10"), "memory") == 0
    off = scoring.error(row(measured_peak_gb_per_gpu="10", gb_unit="GB", predicted="9.3132"), "memory")
    assert off == pytest.approx(0, abs=1e-4)


def test_only_finished_rows_of_trust_a_and_b_count() -> None:
    rows = [row(measured_peak_gb_per_gpu="1", trust=t, status=s) for t in "ABCD" for s in ("ok", "OOM", "")]
    assert [(r["trust"], r["status"]) for r in scoring.scored(rows, "memory")] == [
        ("A", "ok"),
        ("A", ""),
        ("B", "ok"),
        ("B", ""),
    ]


@given(st.lists(st.tuples(st.floats(0.1, 100), st.floats(0.1, 100)), min_size=1, max_size=30))
def test_statistics_follow_their_definitions(pairs: list[tuple[float, float]]) -> None:
    rows = [row(tokens_per_s_per_gpu=repr(m), predicted=repr(p)) for m, p in pairs]
    found = scoring.score(rows, "train-speed")
    errors = sorted(abs(p / m - 1) for m, p in pairs)
    assert found.answered == len(pairs)
    assert found.median is not None and found.p90 is not None and found.under is not None
    assert errors[0] - 1e-9 <= found.median <= found.p90 <= errors[-1] + 1e-9
    assert found.under == pytest.approx(sum(p / m < scoring.UNDER for m, p in pairs) / len(pairs))


def test_the_nearest_success_of_a_failure_differs_least() -> None:
    failed = row(id="no", status="OOM", batch_size="8", seq_len="1", verdict="no")
    near = row(id="near", measured_peak_gb_per_gpu="1", batch_size="4", seq_len="1", verdict="tight")
    far = row(id="far", measured_peak_gb_per_gpu="1", batch_size="4", seq_len="2", verdict="fits")
    longest = row(id="max", status="ok (max fit)", verdict="no")
    found = scoring.fit_rows([failed, far, near, longest])
    assert [r["id"] for r in found["success"]] == ["near"]
    confusion = scoring.confusion([failed, far, near, longest])
    assert confusion.right == pytest.approx(2 / 3)
    assert confusion.false_fit == 0


def test_verdicts_change_at_their_limits() -> None:
    assert [verdict(share * 100, 100) for share in (TIGHT, TIGHT + 0.01, NO, NO + 0.01)] == [
        "fits",
        "tight",
        "tight",
        "no",
    ]
    assert [between(low, high, 10) for low, high in ((8, 10), (9, 11), (11, 12))] == ["fits", "tight", "no"]


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", None, "1e999"])
def test_what_is_no_number_is_none(text: str | None) -> None:
    assert scoring.number(text) is None
    assert scoring.number("1,234.5") == 1234.5 and math.isfinite(scoring.number("1e300") or 0)
