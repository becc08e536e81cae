"""What contributors read, generated from the models: JSON Schema, a sample card, the columns of measurements."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from generator.schema import Architecture, Glossary, Gpu, LanguageModel, Series, Software, Sources, Workload
from generator.schema.published import KINDS, MEMORY_UNITS, STATUS, TRUST

FOLDER = "data/schema"
_KINDS: dict[str, type[BaseModel]] = {
    "gpu": Gpu,
    "architecture": Architecture,
    "model": LanguageModel,
    "series": Series,
    "software": Software,
    "workload": Workload,
    "sources": Sources,
    "glossary": Glossary,
}
# What a sample shows in each key; everything else follows from the models.
_SAMPLE: dict[str, Any] = {
    "slug": "rtx-3090",
    "name": "GeForce RTX 3090",
    "aliases": [],
    "market": "geforce",
    "series": "geforce-30",
    "architecture": "ampere_geforce",
    "export_variant": None,
    "identity": {"chip": "GA102", "launch_date": "2020-09-24", "form_factor": "pcie_card", "slots": 3,
                 "cooling": None, "low_profile": False, "derived": [], "sources": ["TPU"]},
    "compute": {"sm_count": 82, "cuda_cores": 10496, "tensor_cores": 328, "base_clock_mhz": 1395,
                "boost_clock_mhz": 1695, "tensor_clock_mhz": None, "boost_clock_range_mhz": None,
                "derived": [], "sources": ["TPU"]},
    "memory": {"memory_gib": 24, "memory_type": "GDDR6X", "bus_width_bits": 384, "speed_gbps": 19.5,
               "bandwidth_gb_s": 936, "l2_cache_mib": 6, "ecc": None, "derived": ["speed_gbps"],
               "sources": ["TPU"]},
    "power": {"tdp_w": 350, "power_range_w": None, "pcie_generation": 4, "pcie_lanes": 16,
              "nvlink_gb_s": 112.5, "mig_max_instances": 0, "derived": [], "sources": ["TPU"]},
    "rates": {"class_rates": None,
              "published": {"tensor_bf16_fp32acc_tflops": {"value": 71, "source": "GA102_WP"}}},
    "launch_price": {"msrp_usd": 1499, "derived": [], "sources": ["WIKI26"]},
    "exceptions": {},
    "notes": [],
}  # fmt: skip


def files() -> Iterator[tuple[str, str]]:
    """``(path relative to the repository, text)`` of every generated document."""
    for name, model in _KINDS.items():
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}
        yield f"{FOLDER}/{name}.schema.json", json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    yield f"{FOLDER}/sample-gpu.yaml", sample()
    yield f"{FOLDER}/published.md", published()


def sample() -> str:
    """A card's file with every key explained. It validates as it stands."""
    head = (
        "# An annotated card. Copy it to data/gpus/<slug>.yaml, delete what does not apply, and run\n"
        "# `make validate`. null = not published or not read; never 0, never a guess.\n"
    )
    return head + "\n".join(_lines(Gpu, _SAMPLE, 0)) + "\n"


def published() -> str:
    """The columns of ``data/published`` and the words that stand in them, as a Markdown page."""
    out = [
        "# Published measurements: the columns", "",
        "`data/published/<kind>/<family>.csv`: one row a measurement, all columns of the kind in this order; an empty",
        "cell means that the source does not state it. A family is rows that share a code base or an author; it stands",
        "in `data/sources.yaml` under `C_` and its name in capitals. `make validate` says what is wrong with a row.",
    ]  # fmt: skip
    for title, words in (("trust", TRUST), ("unit of memory: begins with", MEMORY_UNITS), ("status", STATUS)):
        out += ["", f"| {title} | meaning |", "|---|---|", *(f"| `{word}` | {text} |" for word, text in words.items())]
    for kind in KINDS.values():
        out += ["", f"## {kind.name}", "", f"{kind.meaning.capitalize()}. Ids begin with {kind.letter}.", ""]
        out += ["| column | type | may be empty | meaning |", "|---|---|---|---|"]
        for column in kind.columns:
            empty = "no" if column.required else "yes"
            out.append(f"| `{column.name}` | {column.type.name} | {empty} | {column.meaning} |")
    return "\n".join(out) + "\n"


def _lines(model: type[BaseModel], values: dict[str, Any], indent: int) -> Iterator[str]:
    pad = " " * indent
    for name, value in values.items():
        info = model.model_fields[name]
        inner = _model_of(info.annotation)
        if indent == 0 and inner is not None and isinstance(value, dict):
            yield ""
        comment = _comment(info)
        if isinstance(value, dict) and value and inner is not None and not _is_leaf(value):
            if comment or inner.__doc__:
                yield f"{pad}# {comment or (inner.__doc__ or '').splitlines()[0]}"
            yield f"{pad}{name}:"
            yield from _lines(inner, value, indent + 2)
        else:
            yield f"{pad}{name}: {_scalar(value)}" + (f"  # {comment}" if comment else "")


def _is_leaf(value: dict[str, Any]) -> bool:
    return set(value) == {"value", "source"}


def _scalar(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_scalar(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_scalar(v) for v in value) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _comment(info: FieldInfo) -> str:
    parts = [info.description] if info.description else []
    choices = _choices(info.annotation)
    if choices:
        parts.append("one of: " + ", ".join(choices))
    low = next(
        (m.ge if hasattr(m, "ge") else m.gt for m in info.metadata if hasattr(m, "ge") or hasattr(m, "gt")), None
    )
    high = next((m.le for m in info.metadata if hasattr(m, "le")), None)
    if low is not None and high is not None:
        parts.append(f"{low:g} to {high:g}")
    return "; ".join(parts)


def _choices(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return [str(a) for a in get_args(annotation)]
    return [c for arg in get_args(annotation) for c in _choices(arg)] if get_origin(annotation) is not list else []


def _model_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for arg in get_args(annotation) if (m := _model_of(arg))), None)
