"""A row of ``data/published/memory`` about training, as a question."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from generator.cases.text import card_of, model_of, whole
from generator.estimators import CannotEstimate
from generator.names import Names
from generator.question import ALL_TARGETS, Question, QuestionError, Training, ask
from generator.scoring import number

Row = Mapping[str, str]
# Where a row of instruction data is not packed: the longest sample, and what others have on average.
LONGEST, AVERAGE = 2048, 256
# The 99th percentile of the steps of a loop with varying lengths, against its longest batch.
PERCENTILE = 0.82
_TARGETS = {
    "q_proj": r"q_proj|c_attn|self_attn|query_key_value", "k_proj": r"k_proj|c_attn|self_attn|query_key_value",
    "v_proj": r"v_proj|c_attn|self_attn|query_key_value", "o_proj": r"o_proj|self_attn", "gate_proj": r"gate_proj",
    "up_proj": r"up_proj", "down_proj": r"down_proj",
}  # fmt: skip
# PEFT's methods by what they keep, see the option table "adapter".
_ADAPTERS = {
    "none": r"adamss|miss|bone|tinylora|prefix_tuning|p_tuning|prompt_tuning",
    "scaling": r"trainable_tokens|ln_tuning|beft|psoft",
    "light": r"ia3|glora|pvera|vera|adaption_prompt",
    "sparse": r"shira",
    "delta-twice": r"waveft|boft|peanut",
    "delta": r"fourierft|loha|lokr|hira|frod",
    "dora": r"dora",
}


def question(row: Row, names: Names) -> Question:
    """The question that a row answers. Raises CannotEstimate with the reason where it says too little."""
    assumed: list[str] = []
    model, stored = model_of(row, names, assumed)
    card = card_of(row, names, assumed)
    framework = (row.get("framework") or "").lower()
    given: dict[str, Any] = {"method": _method(row)}
    given["weights"], given["precision"] = _formats(row, framework, stored)
    if given["method"] == "lora" and given["weights"] not in ("bf16", "fp16", "fp32"):
        given["method"] = "qlora"
    given.update(_sizes(row, framework, assumed))
    given.update(_kernels(row, framework, model.family, given))
    given["optimizer"] = _optimizer(row)
    given.update(_adapters(row, framework, str(given["method"]), assumed))
    gpus = whole(row, "n_gpus") or 1
    given["sharding"], given["offload"] = _sharding(row, gpus)
    given.update(_parallel(row, framework))
    given["grouped_experts"] = "scattermoe" in framework or "megatron" in (row.get("sharding") or "").lower()
    if model.shape is not None and given["sequence"]:
        given["sequence"] += _virtual_tokens(row, model.shape.hidden_size)
    text = f"{row.get('seq_note', '')} {row.get('notes', '')}".lower()
    given["clears_cache"] = "empties cache" in text
    given["varying_lengths"] = not given["clears_cache"] and "packed to" not in text and bool(
        re.search(r"dynamic|truncated|not packed|padding|variable", text)
    )  # fmt: skip
    try:
        return ask(
            Training, given, model=model, card=card, capacity_gib=capacity(row), gpus=gpus, meter=meter(row),
            assumed=assumed,
        )  # fmt: skip
    except QuestionError as error:
        raise CannotEstimate(str(error).replace("\n", "; ")) from error


def is_training(row: Row) -> bool:
    """Whether a row of ``data/published/memory`` is about training."""
    return "infer" not in (row.get("method") or "").lower()


def capacity(row: Row) -> float | None:
    """GiB of the card where the row gives only its size: the boundary rows "fits in so much VRAM"."""
    if "card size" in (row.get("gb_unit") or ""):
        return number(row.get("measured_peak_gb_per_gpu"))
    return None


def meter(row: Row) -> str:
    """The meter that a row was read from: allocated, reserved or device."""
    text = (row.get("what_is_measured") or "").lower()
    if "allocated" in text or "by pytorch" in text:
        return "allocated"
    return "device" if "nvidia-smi" in text or "gpu memory usage" in text else "reserved"


def _method(row: Row) -> str:
    text = (row.get("method") or "").lower()
    if text.startswith("full"):
        return "full"
    if "qlora" in text:
        return "qlora"
    if "lora" in text or text.startswith("peft") or text == "adapter":
        return "lora"
    raise CannotEstimate(f"the method '{text}' is not modelled")


def _formats(row: Row, framework: str, stored: str | None) -> tuple[str, str]:
    text, notes = (row.get("weights_dtype") or "").lower(), (row.get("notes") or "").lower()
    compute = (row.get("compute_dtype_or_amp") or "").lower()
    if "aqlm" in f"{text} {notes} {row.get('model', '')}".lower():
        weights = "aqlm-2"
    elif "gptq" in text or (stored or "").startswith("gptq"):
        weights = "gptq-int8" if re.search(r"int8|8bit", text) else "gptq-int4"
    elif "awq" in text or ("quantized" in text and "awq" in notes):
        weights = "awq-int4"
    elif re.search(r"int8|8bit", text):
        weights = "int8"
    elif re.search(r"4bit|nf4|int4|quantized", text):
        weights = "nf4" if "swift" in framework else "nf4-dq"
    elif re.search(r"float32|fp32", text) or (not text and "accelerate" in framework):
        weights = "fp32"  # what from_pretrained loads when nothing is said
    else:
        weights = "fp16" if re.match(r"float16|fp16", text) else "bf16"
    half = "fp16" if re.search(r"\bf(?:loat|p)16", compute) else "bf16"
    if "autocast" in compute or (not compute and "swift" in framework):
        return weights, f"amp-{half}"
    return weights, "fp32" if weights == "fp32" else half


def _sizes(row: Row, framework: str, assumed: list[str]) -> dict[str, Any]:
    notes = f"{row.get('seq_note', '')} {row.get('notes', '')}".lower()
    sequence, batch = whole(row, "seq_len"), whole(row, "batch_size")
    if batch is None and "batch 2" in notes:
        batch = 2
    accumulation = whole(row, "grad_accum")
    stated = re.search(r"grad_accum (\d+)", notes)
    if accumulation is None and stated:
        accumulation = int(stated[1])
    unpacked = re.search(r"not packed|moe scatter", notes) or "padding-free" in framework
    if unpacked and "packed to" not in notes:
        assumed.append(f"samples that are not packed: the longest {LONGEST} tokens, the mean {AVERAGE}")
        rows = batch or 1
        # Without padding the samples of a batch stand one after the other in one row.
        tokens = LONGEST + (rows - 1) * AVERAGE if "padding-free" in framework else rows * LONGEST
        sequence, batch = tokens, 1
        if accumulation is None and "orca" in notes:
            accumulation = 2
    if "99th percentile" in (row.get("what_is_measured") or "") and sequence:
        assumed.append(f"99th percentile of the steps: {PERCENTILE} of the longest batch")
        sequence = round(sequence * PERCENTILE)
    return {"sequence": sequence, "micro_batch": batch, "accumulation": accumulation}


def _kernels(row: Row, framework: str, family: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Kernels, loss, attention and preparation, from what the framework's name and its flags stand for."""
    flags = framework.split("framework_config=")[-1] if "framework_config=" in framework else ""
    other, notes = (row.get("other_parallelism") or "").lower(), (row.get("notes") or "").lower()
    checkpointing = (row.get("activation_checkpointing") or "").lower()
    attention = (row.get("attention_impl") or "").lower()
    found: dict[str, Any] = {"loss": "stock", "kernels": "stock", "preparation": "none", "attention": None}
    found["checkpointing"] = None if not checkpointing else "none" if re.match(r"no|false", checkpointing) else "full"
    for name, pattern in (("eager", r"eager"), ("flash", r"flash"), ("sdpa", r"sdpa")):
        if re.search(pattern, attention):
            found["attention"] = name
            break
    if "fa2" in framework:
        found["attention"] = "flash"
    if "foak" in flags:
        # The comparison with Liger ran with a later kernel, which reuses the logits' memory for their gradient.
        inplace = "liger" in notes and str(given["precision"]).startswith("amp")
        found["loss"] = "linear" if "liger" in flags else "fused-inplace" if inplace else "fused"
        found["kernels"] = "fused-adapters" if "accelerated-peft" in flags else "fused"
    elif "unsloth" in framework:
        found |= {"kernels": "unsloth", "loss": "linear", "attention": "flash"}
    elif "swift" in framework:
        if "4.x" not in framework and "3.x" not in framework:
            found["loss"] = "stock-legacy"
            # Before transformers 4.36 only code that came with a model used a fast attention.
            if not family.startswith("qwen"):
                found["attention"] = "eager"
        if found["attention"] == "flash":
            found["attention"] = "flash-expanded"
    elif given["weights"] in ("nf4", "nf4-dq") and not flags:
        found["preparation"] = "kbit"
    if "swift" in framework and given["weights"] in ("nf4", "nf4-dq"):
        found["preparation"] = "kbit"
    if "baseline-peft-bnb" in flags and (whole(row, "n_gpus") or 1) == 1:
        found["preparation"] = "stream"
    if "liger" in f"{other} {framework.replace(flags, '') if flags else framework}":
        found |= {"loss": "linear", "kernels": "liger"}
    # transformers of 2024 repeated keys and values of Mistral before FlashAttention.
    if found["attention"] == "flash" and family.startswith(("mistral", "mixtral")) and flags:
        found["attention"] = "flash-expanded"
    if "megatron" in (row.get("sharding") or "").lower():
        found |= {"loss": "parallel", "kernels": "liger", "attention": "flash", "preparation": "none"}
    return found


def _optimizer(row: Row) -> str:
    text = (row.get("optimizer") or "").lower()
    if "galore" in text or "galore" in (row.get("notes") or ""):
        raise CannotEstimate("GaLore projects gradients: not modelled")
    if "lisa_" in (row.get("notes") or ""):
        raise CannotEstimate("LISA trains a changing subset of the layers: not modelled")
    paged, eight = "paged" in text, "8bit" in text.replace("-", "").replace("_", "")
    for name in ("adafactor", "lion", "muon"):
        if name in text:
            return name
    if "sgd" in text:
        return "sgd-momentum" if "mom" in text else "sgd"
    if "fused" in text:
        return "adamw-fused"
    return ("paged-" if paged else "") + ("adamw-8bit" if eight else "adamw")


def _adapters(row: Row, framework: str, method: str, assumed: list[str]) -> dict[str, Any]:
    if method == "full":
        return {}
    text = (row.get("lora_targets") or "").lower()
    found: dict[str, Any] = {"rank": whole(row, "lora_rank") or (8 if "swift" in framework else None)}
    if re.search(r"all", text):
        found["targets"] = ALL_TARGETS
    elif "default" in text:
        found["targets"] = ("q_proj", "k_proj", "v_proj")
        assumed.append("LoRA targets: queries, keys and values (the framework's default)")
    else:
        named = tuple(name for name, pattern in _TARGETS.items() if re.search(pattern, text))
        if not named:
            assumed.append("LoRA targets: queries and values (PEFT's default)")
        found["targets"] = named or ("q_proj", "v_proj")
    if re.search(r"dora|-bat$", (row.get("notes") or "").lower()):
        found["adapter"] = "dora"
    elif (row.get("method") or "").lower().startswith("peft"):
        name = (row.get("method") or "").lower().split(":")[-1]
        found["adapter"] = next((a for a, pattern in _ADAPTERS.items() if re.search(pattern, name)), "lora")
        trainable = (row.get("trainable_params") or "").replace(",", "")
        if trainable.isdigit():
            found["trainable"] = int(trainable)
    return found


def _virtual_tokens(row: Row, hidden: int) -> int:
    """Tokens that prompt tuning puts before every sequence: its parameters over the hidden size."""
    trainable = (row.get("trainable_params") or "").replace(",", "")
    if "prompt_tuning" not in (row.get("method") or "").lower() or not trainable.isdigit():
        return 0
    return round(int(trainable) / hidden)


def _parallel(row: Row, framework: str) -> dict[str, int]:
    text = (row.get("other_parallelism") or "").lower()
    patterns = {
        "tensor_parallel": r"tensor_model_parallel_size=(\d+)",
        "pipeline_parallel": r"pipeline_model_parallel_size=(\d+)",
        "context_parallel": r"(?:sequence_parallel_size|context_parallel_size)=(\d+)",
        "expert_parallel": r"expert_model_parallel_size=(\d+)",
    }  # fmt: skip
    found = {name: int(m[1]) for name, pattern in patterns.items() if (m := re.search(pattern, text))}
    experts = re.search(r"-ep(\d+)", framework)
    return found | ({"expert_parallel": int(experts[1])} if experts else {})


def _sharding(row: Row, gpus: int) -> tuple[str, str]:
    text = f"{row.get('sharding', '')} {row.get('other_parallelism', '')}".lower()
    if "megatron" in text and "parallel_size" not in text:
        raise CannotEstimate("Megatron's layout of tensor, pipeline and expert parallelism is not stated")
    offload = "all" if "offload" in text else "none"
    if gpus == 1:
        return "none", offload
    for name in ("megatron", "fsdp", "zero3", "zero2", "zero1", "ddp", "device_map"):
        if name in text:
            return name, offload
    return "ddp", offload
