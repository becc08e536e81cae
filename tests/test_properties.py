"""Whatever a contributor's file holds: it is read back as written, or refused in plain words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.explain import explain
from generator.located import Located
from generator.schema import Gpu
from generator.yamlfile import read_yaml
from tests.conftest import ROOT, SAMPLE_CARDS

LINE = re.compile(r"^data/gpus/x\.yaml(:\d+)?: .+; expected .+$")
CARDS = [(ROOT / "data/gpus" / f"{slug}.yaml").read_text(encoding="utf-8") for slug in SAMPLE_CARDS]

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=40)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT | st.dates(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


class _Writer(yaml.SafeDumper):
    """Writes every string quoted, as a careful person does, and no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Writer.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))
_Writer.add_representer(
    float, lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:float", _plain_float(value))
)


def _plain_float(value: float) -> str:
    mantissa, _, exponent = repr(value).partition("e")
    mantissa = mantissa if "." in mantissa else f"{mantissa}.0"
    # PyYAML wants a sign: 1.0e+16.
    return f"{mantissa}e{int(exponent):+d}" if exponent else mantissa


def _load(path: Path, text: str | bytes) -> tuple[Gpu | None, list[str]]:
    """What the catalog does with one card file, without the rest of the catalog."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    data, lines, problems = read_yaml(path, "data/gpus/x.yaml")
    if problems:
        return None, [str(p) for p in problems]
    try:
        return Gpu.model_validate(data), []
    except ValueError as error:
        where = Located(data, "data/gpus/x.yaml", lines)
        return None, [str(p) for p in explain(error, where, Gpu)]  # type: ignore[arg-type]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(TEXT, plain, min_size=1, max_size=5))
def test_data_is_read_back_as_written(tmp_path: Path, data: dict[str, Any]) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(yaml.dump(data, Dumper=_Writer, allow_unicode=True), encoding="utf-8")
    read, _, problems = read_yaml(path, "x.yaml")
    assert problems == []
    assert read == data


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(CARDS))
def test_a_valid_card_round_trips(tmp_path: Path, text: str) -> None:
    card, problems = _load(tmp_path / "x.yaml", text)
    assert card is not None, problems
    again = yaml.dump(card.model_dump(exclude_unset=True), Dumper=_Writer, allow_unicode=True)
    card_again, problems = _load(tmp_path / "x.yaml", again)
    assert card_again == card, problems


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_mutated_card_is_refused_in_words(tmp_path: Path, data: st.DataObject) -> None:
    """Bytes changed, lines dropped, doubled or swapped: either still a card, or finished lines."""
    text = data.draw(st.sampled_from(CARDS))
    lines = text.splitlines(keepends=True)
    kind = data.draw(st.sampled_from(["bytes", "drop", "double", "swap", "value", "indent"]))
    i = data.draw(st.integers(0, len(lines) - 1))
    if kind == "bytes":
        raw = bytearray(text.encode())
        for _ in range(data.draw(st.integers(1, 8))):
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
        mutated: str | bytes = bytes(raw)
    else:
        if kind == "drop":
            del lines[i]
        elif kind == "double":
            lines.insert(i, lines[i])
        elif kind == "swap":
            j = data.draw(st.integers(0, len(lines) - 1))
            lines[i], lines[j] = lines[j], lines[i]
        elif kind == "indent":
            lines[i] = " " * data.draw(st.integers(1, 5)) + lines[i]
        else:
            key = lines[i].split(":")[0]
            lines[i] = f"{key}: {data.draw(TEXT)}\n"
        mutated = "".join(lines)
    card, problems = _load(tmp_path / "x.yaml", mutated)
    assert (card is None) == bool(problems)
    for problem in problems:
        assert LINE.match(problem), problem


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_bytes_are_answered(tmp_path: Path, raw: bytes) -> None:
    _, problems = _load(tmp_path / "x.yaml", raw)
    assert problems
    for problem in problems:
        assert LINE.match(problem), problem
