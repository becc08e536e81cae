"""What a cell says about stored weights: the option of the table ``weights``, its group, its bits."""

from __future__ import annotations

import re

from generator import options
from generator.huggingface import Weights

WHOLE_ROW = -1
_PLAIN = (
    # (what the text says, the option), in this order.
    (r"double[-_ ]?quant|nf4[-_ ]dq|nf4-double", "nf4-dq"),
    (r"nvfp4", "nvfp4"), (r"mxfp4", "mxfp4"), (r"mxfp8", "mxfp8"),
    (r"nf4", "nf4"), (r"fp4", "fp4"), (r"fp8|float8|e4m3", "fp8"),
    (r"bf16|bfloat16", "bf16"), (r"fp16|float16|\bf16\b|\bhalf\b", "fp16"), (r"fp32|float32|\bf32\b", "fp32"),
    (r"llm\.int8|int8|8[-_ ]?bit|w8a8", "int8"),
    # The library's own advice is nf4 with double quantization; a bare "4 bit" is taken as that.
    (r"int4|4[-_ ]?bit|w4a16", "nf4-dq"),
    (r"16[-_ ]?bit", "fp16"), (r"32[-_ ]?bit", "fp32"),
)  # fmt: skip
_LLAMA_CPP = re.compile(r"(?<![a-z0-9])i?q\d_[a-z0-9_]+")


def stored(text: str) -> Weights | None:
    """The format that a text speaks of; None where it names none that the option table has."""
    low = text.lower().strip()
    known = options.load().names("weights")
    named = _LLAMA_CPP.search(low)
    if named is not None:
        return Weights(named[0]) if named[0] in known else None
    bits = re.search(r"(\d(?:\.\d+)?)[-_ ]?(?:bits?\b|bpw)|int(\d)|\bw(\d)", low)
    amount = float(next((b for b in bits.groups() if b), 0)) if bits else 0.0
    for library in ("gptq", "awq"):
        if library in low:
            name = f"{library}-int{int(amount or 4)}"
            return Weights(name, group_size=_group(low.replace(library, "", 1))) if name in known else None
    if "exl2" in low or "bpw" in low:
        return Weights("exl2", bits=amount or None)
    return next((Weights(option) for pattern, option in _PLAIN if re.search(pattern, low)), None)


def _group(text: str) -> int | None:
    """``g128``, ``-128g`` and ``group 128``; a lone ``g-`` is a whole row."""
    found = re.search(r"(?<![a-z0-9])g(?:roup)?(?:[-_ ]?size)?[-_ =]?(\d+)|(?<!\d)(\d+)g(?![a-z])", text)
    if found is not None:
        return int(found[1] or found[2])
    return WHOLE_ROW if re.search(r"(?<![a-z0-9])g-(?!\d)", text) else None
