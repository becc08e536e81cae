"""How far the estimates are from all published measurements, each source scored with constants fitted without it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from generator import published, scoring
from generator.cases import answers
from generator.catalog import Catalog
from generator.problems import DataError, Problem
from generator.scoring import Confusion, Score

PATH = "benchmarks/accuracy.json"
POINTS_PATH = "benchmarks/accuracy-points.csv"
_POINT_COLUMNS = ("quantity", "id", "family", "meter", "measured", "predicted", "low", "high")
KINDS = {"memory": "memory", "train-speed": "train", "prefill-speed": "inference", "decode-speed": "inference"}
ALL = "all"
# By how much a committed figure may get worse before it counts: rounding and the last digit of a fit.
NOISE = {"median": 0.003, "p90": 0.01, "under": 0.01, "answered_share": 0.002, "right": 0.006, "false_fit": 0.006}
_BETTER_HIGH = ("answered_share", "right")


@dataclass(frozen=True)
class Accuracy:
    """All rows of one quantity with their predictions."""

    quantity: str
    rows: tuple[Mapping[str, str], ...]

    @cached_property
    def counted(self) -> list[Mapping[str, str]]:
        """The rows that are scored."""
        return scoring.scored(self.rows, self.quantity)

    def families(self) -> list[str]:
        """Source families that have scored rows."""
        return sorted({row["source_family"] for row in self.counted})

    def score(self, family: str | None = None, **columns: str) -> Score:
        """The score of a family (None: all), of rows whose columns have these values."""
        rows = [r for r in self.counted if family is None or r["source_family"] == family]
        return scoring.score([r for r in rows if all(r.get(c) == v for c, v in columns.items())], self.quantity)

    def confusion(self) -> Confusion | None:
        """Fits or not; memory only."""
        return scoring.confusion(self.rows) if self.quantity == "memory" else None

    def worst(self, count: int) -> list[Mapping[str, str]]:
        """The rows with the largest errors."""
        known = [r for r in self.counted if scoring.error(r, self.quantity) is not None]
        return sorted(known, key=lambda r: -abs(scoring.error(r, self.quantity) or 0))[:count]


def measure(quantity: str, catalog: Catalog, root: Path) -> Accuracy:
    """Predict every published row of a quantity, leaving out its own source. Raises DataError."""
    rows = published.rows(root, KINDS[quantity])
    return Accuracy(
        quantity,
        tuple({**row, **answers.predict(row, quantity, catalog, row["source_family"])} for row in rows),
    )


def figures(found: Sequence[Accuracy]) -> dict[str, Any]:
    """What ``benchmarks/accuracy.json`` keeps: figures of each quantity by family and, for memory, by meter."""
    out: dict[str, Any] = {}
    for accuracy in found:
        groups = {ALL: accuracy.score(), **{f: accuracy.score(f) for f in accuracy.families()}}
        if accuracy.quantity == "memory":
            groups |= {f"meter: {m}": accuracy.score(None, meter=m) for m in ("allocated", "reserved", "device")}
        out[accuracy.quantity] = {name: _rounded(score) for name, score in groups.items()}
        confusion = accuracy.confusion()
        if confusion is not None:
            out["fits"] = {
                "right": _round(confusion.right), "false_fit": _round(confusion.false_fit),
                "counts": {k: dict(v) for k, v in confusion.counts.items()},
            }  # fmt: skip
    return out


def _rounded(score: Score) -> dict[str, float | int | None]:
    return {name: value if isinstance(value, int) else _round(value) for name, value in asdict(score).items()}


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def text(found: Mapping[str, Any]) -> str:
    """The content of ``benchmarks/accuracy.json``."""
    return json.dumps({"noise": NOISE, "figures": found}, indent=1, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Point:
    """One scored row: what was measured and predicted, in the quantity's unit; ``meter`` is empty for speeds."""

    quantity: str
    id: str
    family: str
    meter: str
    measured: float
    predicted: float
    low: float
    high: float

    @property
    def error(self) -> float:
        """predicted / measured − 1."""
        return self.predicted / self.measured - 1


def points(found: Sequence[Accuracy]) -> list[Point]:
    """Every scored row with an answer, four significant digits."""
    out = []
    for accuracy in found:
        for row in accuracy.counted:
            off, predicted = scoring.error(row, accuracy.quantity), scoring.number(row["predicted"])
            if off is None or predicted is None:
                continue
            low, high = (scoring.number(row[c]) or predicted for c in ("predicted_low", "predicted_high"))
            values = (float(f"{v:.4g}") for v in (predicted / (1 + off), predicted, low, high))
            out.append(Point(accuracy.quantity, row["id"], row["source_family"], row["meter"], *values))
    return out


def points_text(found: Sequence[Point]) -> str:
    """The content of ``benchmarks/accuracy-points.csv``."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_POINT_COLUMNS)
    for p in found:
        numbers = (f"{v:g}" for v in (p.measured, p.predicted, p.low, p.high))
        writer.writerow((p.quantity, p.id, p.family, p.meter, *numbers))
    return out.getvalue()


def load_points(root: Path) -> list[Point]:
    """The committed points. Raises DataError when the file is missing or broken."""
    try:
        with (root / POINTS_PATH).open(newline="", encoding="utf-8") as file:
            return [
                Point(r["quantity"], r["id"], r["family"], r["meter"], *(float(r[c]) for c in _POINT_COLUMNS[4:]))
                for r in csv.DictReader(file)
            ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError([Problem(POINTS_PATH, 0, "", f"cannot be used ({error})",
                                 "the output of `python -m generator accuracy --write`")]) from error  # fmt: skip


def committed(root: Path) -> dict[str, Any]:
    """The committed figures. Raises DataError when the file is missing or broken."""
    try:
        return dict(json.loads((root / PATH).read_text(encoding="utf-8"))["figures"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError([Problem(PATH, 0, "", f"cannot be used ({error})",
                                 "the output of `python -m generator accuracy --write`")]) from error  # fmt: skip


def worse(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    """Every committed figure that got worse by more than its noise, one line each."""
    found = []
    for quantity, groups in before.items():
        if quantity == "fits":
            found += _compare("fits or not", now.get("fits", {}), groups)
            continue
        for group, figures_before in groups.items():
            figures_now = now.get(quantity, {}).get(group)
            if figures_now is None:
                found.append(f"{quantity}, {group}: no longer scored")
                continue
            found += _compare(f"{quantity}, {group}", _shares(figures_now), _shares(figures_before))
    return found


def _shares(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {**figures, "answered_share": figures["answered"] / figures["rows"] if figures["rows"] else None}


def _compare(where: str, now: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    found = []
    for name, noise in NOISE.items():
        a, b = now.get(name), before.get(name)
        if b is None:
            continue
        if a is None or (b - a if name in _BETTER_HIGH else a - b) > noise:
            found.append(f"{where}: {name} was {b:.4g}, is now {'missing' if a is None else format(a, '.4g')}")
    return found
