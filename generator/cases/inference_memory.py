"""A row of ``data/published/memory`` about inference, as a question."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from generator import options
from generator.cases.stored import stored
from generator.cases.text import card_of, model_of, whole
from generator.estimators import CannotEstimate
from generator.huggingface import Weights
from generator.names import Names
from generator.question import Inference, Question, QuestionError, ask

Row = Mapping[str, str]
# Where a row is silent. Chats and benchmarks of that time; a card of 24 GiB is the middle of those that people run
# language models on.
PROMPT, GENERATED, CAPACITY_GIB = 512, 512, 24.0
# The benchmark of GPTQ-for-LLaMa feeds so many tokens one by one.
GPTQ_TOKENS = 2048
# llama.cpp's default of that time.
LEAST_CONTEXT = 512
# Release of 4.45, the first that makes only the last logits of a prompt.
RELEASE_4_45 = "2024-09-25"
# (what the framework is called, the option of the table "engine"), the first that is found.
_ENGINES = (
    (r"gptq[-_ ]for[-_ ]llama", "gptq"),
    (r"exllama ?-?v[23]|tabby", "exllamav2"), (r"exllama", "exllama"),
    (r"ollama", "ollama"), (r"llama\.?-?cpp|ctransformers|gguf|ggml|kobold|lm ?studio|llamafile", "llama.cpp"),
    (r"vllm", "vllm"), (r"sglang", "sglang"), (r"lmdeploy|turbomind", "lmdeploy"),
    (r"tensorrt|trt-?llm|optimum nvidia", "tensorrt-llm"), (r"deepspeed|\bmii\b", "deepspeed-mii"),
    (r"ctranslate", "ctranslate2"), (r"onnx", "onnx"), (r"\bmlc\b", "mlc"), (r"autogptq|gptqmodel", "autogptq"),
)  # fmt: skip


def is_inference(row: Row) -> bool:
    """Whether a row of published memory is about inference."""
    return (row.get("method") or "").lower() == "inference"


def question(row: Row, names: Names) -> Question:
    """The question that a row answers. Raises CannotEstimate with the reason where it says too little."""
    assumed: list[str] = []
    model, in_name = model_of(row, names, assumed)
    card = card_of(row, names, assumed)
    framework = (row.get("framework") or row.get("engine") or "").lower()
    weights = _weights(row, framework, in_name, assumed)
    engine = _engine(framework, weights.format)
    given: dict[str, Any] = {
        "weights": weights.format, "group_size": weights.group_size or 0, "weight_bits": weights.bits or 0.0,
        "kv_cache": "16bit", "engine": engine, "release": _release(row, framework, engine, assumed),
        "attention": _attention(row, engine, assumed), "tensor_parallel": 1,
    }  # fmt: skip
    given.update(_lengths(row, engine, model.max_context, assumed))
    try:
        return ask(
            Inference, given, model=model, card=card, capacity_gib=None if card else _capacity(row, assumed),
            gpus=whole(row, "n_gpus") or 1, meter=meter(row), assumed=assumed,
        )  # fmt: skip
    except QuestionError as error:
        raise CannotEstimate(str(error).replace("\n", "; ")) from error


def meter(row: Row) -> str:
    """The meter that a row was read from: allocated, reserved or device."""
    text = (row.get("what_is_measured") or "").lower()
    if re.search(r"nvidia-smi|process|device|gpu memory usage|nvtop|task manager|does not fit", text):
        return "device"
    return "reserved" if "reserved" in text else "allocated"


def _weights(row: Row, framework: str, in_name: str | None, assumed: list[str]) -> Weights:
    text = (row.get("weights_dtype") or row.get("quantization") or "").strip()
    found = stored(text) if text else Weights(in_name) if in_name else None
    if text and found is None:
        raise CannotEstimate(f"weight format {text!r} is not known")
    if found is None:
        assumed.append("weights = bf16")
        found = Weights("bf16")
    replaced = _by_framework(found, framework)
    if replaced != found:
        assumed.append(f"weights = {replaced}")
    return replaced


def _by_framework(found: Weights, framework: str) -> Weights:
    """The same bits in the framework's own format. What a quantizing library calls its type is that of activations."""
    eight_or_four = {"int8": 8, "nf4-dq": 4}.get(found.format)
    if eight_or_four and re.search(r"llama\.?cpp|ctransformers|ollama", framework):
        return Weights("q8_0" if eight_or_four == 8 else "q4_k_m")
    if eight_or_four and re.search(r"exllama ?-?v2", framework):
        return Weights("exl2", bits=float(eight_or_four))
    if "autogptq" in framework and found.format in ("fp16", "fp32"):
        return Weights("gptq-int4")
    return Weights("awq-int4") if "autoawq" in framework and not found.format.startswith("awq") else found


def _engine(framework: str, weights: str) -> str:
    for pattern, engine in _ENGINES:
        if re.search(pattern, framework):
            return engine
    return "llama.cpp" if re.match(r"i?q\d_", weights) else "exllamav2" if weights == "exl2" else "transformers"


def _release(row: Row, framework: str, engine: str, assumed: list[str]) -> str:
    """Of transformers: as stated, else by the date of the source; GPTQ-for-LLaMa is older than all of it."""
    if engine == "gptq":
        return "4.0"
    stated = re.search(r"transformers\D{0,3}(\d+)\.(\d+)", framework)
    if stated is not None:
        version = (int(stated[1]), int(stated[2]))
        return "5.0" if version >= (5, 0) else "4.45" if version >= (4, 45) else "4.0"
    date = re.search(r"20\d\d-\d\d-\d\d", row.get("commit_or_date") or "")
    release = "4.0" if date is not None and date[0] < RELEASE_4_45 else "4.45"
    if options.load().numbers("engine", engine)["transformers_code"]:
        assumed.append(f"release = {release} ({'date of the source' if date else 'not stated'})")
    return release


def _attention(row: Row, engine: str, assumed: list[str]) -> str:
    text = (row.get("attention_impl") or "").lower()
    if not text and options.load().numbers("engine", engine)["transformers_code"] and engine != "gptq":
        assumed.append("attention = sdpa")
    return "eager" if "eager" in text else "flash" if "flash" in text else "sdpa"


def _lengths(row: Row, engine: str, most: int | None, assumed: list[str]) -> dict[str, int]:
    """Prompt, generated tokens, sequences and the context that the engine reserves."""
    prompt, generated, total = whole(row, "prompt_len"), _tokens(row, "gen_len"), whole(row, "seq_len")
    batch = whole(row, "batch_size") or whole(row, "batch")
    if batch is None:
        assumed.append("batch = 1")
    whole_context = "-c 0" in (row.get("what_is_measured") or "")
    if engine == "gptq":
        total = total or GPTQ_TOKENS
        prompt, generated = 1, total - 1
    if engine in ("llama.cpp", "ollama") and total is None and whole_context:
        total = most
    if prompt is None:
        prompt = max(total - (generated or 0), 1) if total is not None else PROMPT
        if total is None:
            assumed.append(f"prompt = {PROMPT}")
    if generated is None:
        generated = max(total - prompt, 0) if total is not None else GENERATED
        if total is None:
            assumed.append(f"generated = {GENERATED}")
    context = 0
    if options.load().numbers("engine", engine)["reserves_kv"]:
        least = LEAST_CONTEXT if engine in ("llama.cpp", "ollama") else 0
        context = total or (most if engine == "exllamav2" and most else max(least, prompt + generated))
        if total is None:
            assumed.append(f"context = {context}")
    return {"prompt": prompt, "generated": generated, "batch": batch or 1, "context": context}


def _tokens(row: Row, column: str) -> int | None:
    return 0 if (row.get(column) or "").strip() == "0" else whole(row, column)


def _capacity(row: Row, assumed: list[str]) -> float | None:
    """GiB of a card that is not named: what the row says of its size, else the usual; None for an unknown name."""
    if row.get("gpu"):
        return None
    stated = re.search(r"(\d+)\s*GB", row.get("status") or "")
    assumed.append(f"card of {float(stated[1]) if stated else CAPACITY_GIB:g} GiB")
    return float(stated[1]) if stated else CAPACITY_GIB
