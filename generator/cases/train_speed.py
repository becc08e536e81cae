"""A row of ``data/published/train``, as a question."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from generator.cases.text import card_of, model_of, whole
from generator.estimators import CannotEstimate
from generator.names import Names
from generator.question import ALL_TARGETS, ATTENTION_TARGETS, Question, QuestionError, Training, ask
from generator.scoring import number

Row = Mapping[str, str]
# Software by the words of its name; the first that matches.
_STACKS = (
    ("megatron", r"megatron|nemo|transformer.?engine"),
    ("native", r"foundry|composer|fms-fsdp|torchtitan|litgpt|lit-gpt|torchtune|nanogpt|torch\.compile|gpt-neox"
               r"|lightning|deeplearningexamples"),
    ("fused", r"foak|liger|unsloth|fast-kernels|fused"),
    ("transformers", r"\bhf\b|hugging|transformers|trainer|peft|trl|swift|factory|axolotl|accelerate|deepspeed|xtuner"),
)  # fmt: skip
_LAYOUT = (
    ("FSDP", ""), ("TP", "tensor"), ("PP", "pipeline"), ("CP", "context"), ("VP", ""), ("EP", "expert"),
)  # fmt: skip
# Real tokens of an instruction sample: what a row of such data states, for those that state nothing.
SAMPLE = 210


def question(row: Row, names: Names) -> Question:
    """The question that a row answers. Raises CannotEstimate with the reason where it says too little."""
    assumed: list[str] = []
    model, stored = model_of(row, names, assumed)
    card = card_of(row, names, assumed)
    if card is None:
        raise CannotEstimate(f"unknown card ({row.get('gpu') or 'none named'})")
    text = {name: (row.get(name) or "").lower().strip() for name in row}
    layout = _layout(text)
    stack = _stack(text, layout, assumed)
    given: dict[str, Any] = {"stack": stack, **_method(text, stored)}
    given["precision"] = _precision(text["precision"], stack, card.rates["tensor_fp8_fp32acc"].number or 0.0, assumed)
    given["kernels"], given["loss"] = _kernels(text["framework"], stack, given["method"])
    given["grouped_experts"] = "scattermoe" in text["framework"]
    given["optimizer"] = _optimizer(text["optimizer"], stack, assumed)
    given["attention"] = _attention(text["attention_impl"], assumed)
    given["checkpointing"] = _checkpointing(text, stack, assumed)
    gpus = whole(row, "n_gpus") or 1
    given.update(_parallel(layout))
    given["sharding"] = _sharding(text, stack, layout, gpus, assumed)
    given["preparation"] = _preparation(text, given)
    given.update(_sizes(row, text, stack, given, gpus))
    if given["method"] != "full":
        given.update(_adapters(row, text["lora_targets"], assumed))
    try:
        return ask(Training, given, model=model, card=card, gpus=gpus, assumed=assumed)
    except QuestionError as error:
        raise CannotEstimate(str(error).replace("\n", "; ")) from error


def counts(row: Row) -> str:
    """The result of the program that a row's speed is: all tokens computed, or real ones only."""
    return "tokens_per_s" if "real tokens" in _note(row) else "computed_tokens_per_s"


def _note(row: Row) -> str:
    return f"{row.get('seq_note') or ''} {row.get('notes') or ''}".lower()


def _layout(text: Row) -> dict[str, int]:
    """``{"TP": 4, …}``: TP=4, tp 4, tensor_model_parallel_size=4; granite-ep4 names the experts' share."""
    found = {}
    for short, name in _LAYOUT:
        match = re.search(rf"\b{short.lower()}[ =]?(\d+)", text["other_parallelism"]) or (
            re.search(rf"{name}_(?:model_)?parallel(?:_size)?=(\d+)", text["other_parallelism"]) if name else None
        )
        if match:
            found[short] = max(int(match[1]), 1)
    experts = re.search(r"scattermoe\S*-ep(\d+)", text["framework"])
    if experts:
        found["EP"] = int(experts[1])
    return found


def _stack(text: Row, layout: Mapping[str, int], assumed: list[str]) -> str:
    for stack, words in _STACKS:
        if re.search(words, text["framework"]):
            return stack
    split = any(layout.get(name, 1) > 1 for name in ("TP", "PP", "CP"))
    stack = "megatron" if split else "native" if "pretrain" in text["method"] else "transformers"
    assumed.append(f"stack = {stack}")
    return stack


def _method(text: Row, stored: str | None) -> dict[str, Any]:
    method = text["method"]
    if re.search(r"dpo|grpo|ppo|kto|orpo|rlhf", method):
        raise CannotEstimate("preference training: passes for each token are not defined")
    if not method or method.startswith(("full", "pretrain", "sft")):
        return {"method": "full"}
    name = method.removeprefix("peft:")
    if name not in ("lora", "qlora"):
        raise CannotEstimate(f"the method '{method}' is not modelled")
    if "dora" in text["notes"]:
        raise CannotEstimate("DoRA is not modelled")
    precision = text["precision"]
    gptq = "gptq" in precision or (stored or "").startswith("gptq")
    if gptq:
        return {"method": "qlora", "weights": "gptq-int8" if re.search(r"int8|8.?bit", precision) else "gptq-int4"}
    if name == "qlora" or re.search(r"4.?bit|int4|nf4", precision):
        return {"method": "qlora", "weights": "nf4-dq"}
    return {"method": "lora"}


def _precision(text: str, stack: str, rate_fp8: float, assumed: list[str]) -> str:
    if "fp4" in text:
        return "fp4"
    if "fp8" in text:
        return "mxfp8" if "mx" in text else "fp8"
    if re.search(r"fp32|float32|tf32", text) and not re.search(r"amp|autocast|16", text):
        return "tf32" if "tf32" in text else "fp32"
    if not text:
        precision = "fp8" if stack == "megatron" and rate_fp8 else "bf16"
        assumed.append(f"precision = {precision}")
        return precision
    half = "fp16" if re.search(r"(?<![bf])fp16|(?<!b)float16", text) else "bf16"
    return f"amp-{half}" if re.search(r"amp|autocast", text) else half


def _kernels(framework: str, stack: str, method: str) -> tuple[str, str | None]:
    if "unsloth" in framework:
        return "unsloth", "linear"
    if stack == "fused":
        # Fused adapters need a quantized base there.
        kernels = "fused-adapters" if "foak" in framework and method == "qlora" else "fused"
        return kernels, "linear" if "liger" in framework else "fused"
    if stack == "megatron":
        return "fused-adapters", "parallel"
    return ("fused" if stack == "native" and "compile" in framework else "stock"), None


def _optimizer(text: str, stack: str, assumed: list[str]) -> str:
    name = text.replace("-", "").replace("_", "")
    fused = "adamw-fused" if "fused" in name or stack == "megatron" else "adamw"
    if not text:
        assumed.append(f"optimizer = {fused}")
    if "8bit" in name:
        return "paged-adamw-8bit" if "paged" in name else "adamw-8bit"
    for known in ("adafactor", "lion", "muon"):
        if known in name:
            return known
    if name.startswith("sgd"):
        return "sgd-momentum" if "mom" in name else "sgd"
    return "paged-adamw" if "paged" in name else fused


def _attention(text: str, assumed: list[str]) -> str | None:
    if text in ("flash", "flash1", "triton"):
        assumed.append("attention: the first FlashAttention, no version is named")
        return "flash-1"
    if text.startswith("eager") or text == "none":
        return "eager"
    return "flash" if "flash" in text and "sdpa" not in text else "sdpa" if text else None


def _checkpointing(text: Row, stack: str, assumed: list[str]) -> str:
    cell = text["activation_checkpointing"]
    if "selective" in cell:
        return "selective"
    if cell in ("yes", "true", "full", "on") or cell.startswith("default true"):
        return "full"
    if cell in ("no", "none", "false", "off"):
        return "none"
    usual = "none" if stack == "megatron" or "pretrain" in text["method"] else "full"
    assumed.append(f"checkpointing = {usual}")
    return usual


def _parallel(layout: Mapping[str, int]) -> dict[str, int | None]:
    return {
        "tensor_parallel": layout.get("TP", 1),
        "pipeline_parallel": layout.get("PP", 1),
        "context_parallel": layout.get("CP", 1),
        "expert_parallel": layout.get("EP", 1),
        "virtual_pipeline": layout.get("VP"),
    }


def _sharding(text: Row, stack: str, layout: Mapping[str, int], gpus: int, assumed: list[str]) -> str:
    cell = text["sharding"]
    if gpus == 1:
        return "none"
    if "device_map" in text["other_parallelism"] or "device_map" in cell:
        return "device_map"
    if "grad_op" in cell:
        return "zero2"
    if re.search(r"fsdp|hsdp|full_shard", cell) or layout.get("FSDP", 1) > 1:
        return "fsdp"
    stage = re.search(r"zero.?([123])", cell)
    if stage:
        return f"zero{stage[1]}"
    if stack == "megatron" or cell == "megatron":
        return "zero1"  # its optimizer is distributed by default in the recipes
    if not cell:
        assumed.append("sharding = fsdp")
        return "fsdp"
    return "ddp"


def _preparation(text: Row, given: Mapping[str, Any]) -> str:
    """Whether what is not quantized became FP32 first: what PEFT does, and what faster loaders leave out."""
    plain = given["stack"] == "transformers" and given["sharding"] != "fsdp" and "accelerated" not in text["framework"]
    return "kbit" if plain and given.get("weights") == "nf4-dq" else "none"


def _sizes(row: Row, text: Row, stack: str, given: Mapping[str, Any], gpus: int) -> dict[str, Any]:
    note = _note(row)
    found: dict[str, Any] = {"sequence": whole(row, "seq_len"), "micro_batch": whole(row, "batch_size")}
    without_padding = "padding-free" in text["framework"] or "multipack" in text["framework"]
    if without_padding or re.search(r"not packed|unpadded|real tokens|avg ~", note):
        stated = re.search(r"avg ~(\d+)", note)
        found["packing"] = "padding-free" if without_padding else "padded"
        found["mean_length"] = int(stated[1]) if stated else None
        # The longest length that a sample may have tells nothing about it.
        found["sequence"] = found["sequence"] or SAMPLE
    elif stack == "megatron" and ("packed" in text["method"] or given["method"] != "full"):
        found["packing"], found["mean_length"] = "documents", SAMPLE
    split = given["tensor_parallel"] * given["pipeline_parallel"] * given["context_parallel"]
    replicas = 1 if given["sharding"] == "device_map" else max(gpus / split, 1)
    whole_batch, accumulation = number(row.get("global_batch_size")), whole(row, "grad_accum")
    stated = re.search(r"grad_accum (\d+)", note)
    if whole_batch:
        accumulation = max(round(whole_batch / (replicas * (found["micro_batch"] or 1))), 1)
    elif accumulation is None and stated:
        accumulation = int(stated[1])
    return {**found, "accumulation": accumulation}


def _adapters(row: Row, text: str, assumed: list[str]) -> dict[str, Any]:
    if "all" in text:
        return {"rank": whole(row, "lora_rank"), "targets": ALL_TARGETS}
    fused = "q_proj k_proj v_proj" if re.search(r"c_attn|qkv", text) else ""
    targets = tuple(name for name in ALL_TARGETS if name in f"{text} {fused}")
    if not targets:
        targets = ATTENTION_TARGETS
        assumed.append(f"targets = {' '.join(targets)}")
    return {"rank": whole(row, "lora_rank"), "targets": targets}
