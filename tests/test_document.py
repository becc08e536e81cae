"""What contributors are given: JSON Schema that accepts the data, and a sample that validates."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from generator.schema import Gpu
from generator.schema.document import files, sample
from generator.yamlfile import read_yaml
from tests.conftest import ROOT

FOLDERS = {
    "gpu": "gpus",
    "model": "models",
    "architecture": "architectures",
    "series": "series",
    "software": "software",
    "workload": "workloads",
}


def _plain(value: Any) -> Any:
    """Dates as text: what an editor's schema check sees."""
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("kind", "folder"), FOLDERS.items())
def test_schema_accepts_every_file(kind: str, folder: str) -> None:
    schema = json.loads((ROOT / f"data/schema/{kind}.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    for path in sorted((ROOT / "data" / folder).glob("*.yaml")):
        data, _, _ = read_yaml(path, path.name)
        assert [e.message for e in validator.iter_errors(_plain(data))] == [], path.name


def test_schema_refuses_an_unknown_key() -> None:
    schema = json.loads((ROOT / "data/schema/gpu.schema.json").read_text(encoding="utf-8"))
    data, _, _ = read_yaml(ROOT / "data/gpus/rtx-3090.yaml", "x")
    assert isinstance(data, dict)
    data["bandwith"] = 1
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(_plain(data)))


def test_the_sample_is_a_card(tmp_path: Path) -> None:
    path = tmp_path / "rtx-3090.yaml"
    path.write_text(sample(), encoding="utf-8")
    data, _, problems = read_yaml(path, "x")
    assert problems == []
    assert Gpu.model_validate(data).slug == "rtx-3090"


def test_the_sample_explains_every_key() -> None:
    text = sample()
    for group in ("identity", "compute", "memory", "power", "launch_price"):
        for key in Gpu.model_fields[group].annotation.model_fields:  # type: ignore[union-attr]
            assert f"  {key}: " in text, key


def test_every_key_of_a_card_has_a_meaning_or_a_choice() -> None:
    assert len(dict(files())) == 10
