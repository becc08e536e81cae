"""Fit what formulas leave open to the published measurements: on everything, and without each source family.

Each module has ``KIND`` (a kind of published rows) and ``fit(rows, exclude_family=None) -> dict`` with the keys
``constants`` (numbers or tables of numbers), ``bands`` (low and high factor by kind of case) and whatever else
a reader may want to know (``n``, …). Needs SciPy; what it writes is read by :mod:`generator.calibration` without it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from math import floor, isfinite, log10
from pathlib import Path
from typing import Any

from generator import published
from generator.calibration import FOLDER

Row = Mapping[str, str]
MODULES = {
    "training-memory": "training_memory",
    "inference-memory": "inference_memory",
    "train-speed": "train_speed",
    "inference-speed": "inference_speed",
}
DIGITS = 4


def calibrate(name: str, root: Path) -> str:
    """The text of ``data/calibration/<name>.json``. Raises DataError when the measurements cannot be read."""
    module = import_module(f"{__name__}.{MODULES[name]}")
    rows: Sequence[Row] = published.rows(root, module.KIND)
    everything = module.fit(rows)
    families = sorted({row["source_family"] for row in rows})
    without = {}
    for family in families:
        fitted = module.fit(rows, exclude_family=family)
        # A family that had no part in the fit leaves it as it is; only what differs is stored.
        if rounded(fitted) != rounded(everything):
            without[family] = {"constants": fitted["constants"], "bands": fitted["bands"]}
    content = rounded({**everything, "without": without})
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def path(name: str) -> str:
    """Where the calibration of that name is kept, from the repository root."""
    return f"{FOLDER}/{name}.json"


def rounded(value: Any) -> Any:
    """All numbers with four significant digits, so that another machine's last bits change no file."""
    if isinstance(value, Mapping):
        return {str(k): rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(v) for v in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    number = float(value)
    if not isfinite(number) or number == 0:
        return number
    return round(number, DIGITS - 1 - floor(log10(abs(number))))
