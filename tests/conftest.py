"""Shared fixtures: the repository's own catalog, and small copies of its data to break."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from generator.catalog import Catalog, check, load
from generator.problems import Problem

ROOT = Path(__file__).resolve().parent.parent
TODAY = dt.date(2026, 11, 23)


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """The repository's catalog, as of the day its facts were compiled."""
    return load(ROOT, TODAY)


# The fewest cards that hold a data-center package of two dies, a laptop and its desktop namesake.
SAMPLE_CARDS = (
    "rtx-3090", "rtx-4060", "rtx-4060-laptop", "gtx-1080-ti", "h100-sxm5-80gb", "b200-sxm-180gb", "b100",
    "l40s",
)  # fmt: skip


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A copy of data/ with a handful of cards, whose root is returned; tests break it."""
    data = tmp_path / "data"
    data.mkdir()
    for name in ("architectures", "models", "series", "software", "workloads"):
        shutil.copytree(ROOT / "data" / name, data / name)
    for name in ("sources.yaml", "glossary.yaml"):
        shutil.copy2(ROOT / "data" / name, data / name)
    (data / "gpus").mkdir()
    for slug in SAMPLE_CARDS:
        shutil.copy2(ROOT / "data" / "gpus" / f"{slug}.yaml", data / "gpus" / f"{slug}.yaml")
    (data / "prices").mkdir()
    for name in ("purchase.csv", "rental.csv", "fx.csv"):
        header = (ROOT / "data" / "prices" / name).read_text(encoding="utf-8").splitlines()[0]
        (data / "prices" / name).write_text(header + "\n", encoding="utf-8")
    return tmp_path


Break = Callable[[str, str, str], list[Problem]]


@pytest.fixture
def broken(small: Path) -> Break:
    """``broken(path, old, new)`` replaces text in a file under data/ and returns the problems."""

    def apply(path: str, old: str, new: str) -> list[Problem]:
        file = small / "data" / path
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{path} does not contain {old!r}"
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        return check(small, TODAY)[1]

    return apply
