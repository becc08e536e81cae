"""Other spellings of the columns of published cases."""

from __future__ import annotations

from collections.abc import Mapping

Row = Mapping[str, str]
# column of a short list of fine-tuning runs -> column of the published cases
_ALIASES = {
    "micro_batch": "batch_size",
    "gradient_checkpointing": "activation_checkpointing",
    "attention": "attention_impl",
    "precision": "compute_dtype_or_amp",
    "source": "source_repo_or_url",
    "measured_peak_allocated_gib": "measured_peak_gb_per_gpu",
}


def canonical(row: Row) -> Row:
    """The row with the columns of published cases; unchanged if it has them already."""
    if "batch_size" in row or "micro_batch" not in row:
        return row
    out = {**{new: row[old] for old, new in _ALIASES.items() if old in row},
           **{name: value for name, value in row.items() if name not in _ALIASES}}  # fmt: skip
    method = row.get("method", "").lower()
    out.setdefault("weights_dtype", "bnb 4bit (nf4)" if method == "qlora" else "bfloat16")
    out.setdefault("what_is_measured", "max_memory_allocated")
    out.setdefault("gb_unit", "GiB")
    if out.get("compute_dtype_or_amp") == "pure":
        out["compute_dtype_or_amp"] = "none (pure bfloat16)"
    return out
