"""Fitted constants: ``data/calibration/<name>.json``, written by ``python -m generator calibrate``, read here.

Each file has the constants fitted on everything (``constants``), those fitted without one source family
(``without``, for honest scoring), the error bands and how many rows stand behind them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from generator.problems import DataError, Problem

ROOT = Path(__file__).resolve().parent.parent
FOLDER = "data/calibration"


@dataclass(frozen=True)
class Calibration:
    """The fitted constants of one estimator. ``band`` maps a kind of case to (low, high) factors on the estimate."""

    name: str
    constants: Mapping[str, float]
    without: Mapping[str, Mapping[str, Any]]
    bands: Mapping[str, tuple[float, float]]
    facts: Mapping[str, Any]

    def excluding(self, family: str | None) -> Calibration:
        """The calibration made without a source family; itself when that family had no part in it."""
        if family is None or family not in self.without:
            return self
        other = self.without[family]
        return Calibration(self.name, other["constants"], {}, _bands(other["bands"]), self.facts)


def _bands(raw: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    return {kind: (float(low), float(high)) for kind, (low, high) in raw.items()}


@cache
def load(name: str, root: Path = ROOT) -> Calibration:
    """Read one calibration. Raises DataError when the file is missing or broken."""
    shown = f"{FOLDER}/{name}.json"
    try:
        raw = json.loads((root / shown).read_text(encoding="utf-8"))
        return Calibration(
            name, raw["constants"], raw["without"], _bands(raw["bands"]),
            {k: v for k, v in raw.items() if k not in ("constants", "without", "bands")},
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = Problem(shown, 0, "", f"cannot be used ({error})", "the output of `python -m generator calibrate`")
        raise DataError([problem]) from error
