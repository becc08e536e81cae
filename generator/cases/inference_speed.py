"""A row of ``data/published/inference`` as a question, and which speed it states."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from generator import numbers, options
from generator.cases.engines import engine as engine_of
from generator.cases.stored import stored
from generator.cases.text import card_of, model_of, whole
from generator.catalog import Card
from generator.estimators import CannotEstimate
from generator.huggingface import Weights
from generator.names import Names
from generator.question import Inference, Question, QuestionError, ask
from generator.scoring import number

Row = Mapping[str, str]
# Where a row is silent: rows without lengths say "short prompt" or "short context" and time a few hundred tokens.
PROMPT, GENERATED = 128, 256
# vLLM's max_num_seqs: how many of the prompts of an offline run are worked on at once.
OFFLINE_BATCH = 256
# Vision-language models whose text part is a decoder of the catalog.
_DECODERS = {"vila-7b": "llama-2-7b", "vila-13b": "llama-2-13b", "nvila-2b": "qwen2-1.5b", "nvila-8b": "qwen2-7b"}


def question(row: Row, names: Names) -> Question:
    """The question that a row answers. Raises CannotEstimate with the reason where it says too little."""
    assumed: list[str] = []
    model, in_name = model_of(_decoder(row, assumed), names, assumed)
    card = _card(row, names, assumed)
    text = (row.get("engine") or "").lower()
    engine = engine_of(text)
    if engine is None:
        assumed.append(f"engine = unknown ({text or 'not stated'}: as one that serves batches)")
        engine = "unknown"
    weights = _weights(row, text, engine, in_name, assumed)
    gpus = whole(row, "n_gpus") or 1
    given: dict[str, Any] = {
        "engine": engine, "weights": weights.format, "group_size": weights.group_size or 0,
        "weight_bits": weights.bits or 0.0, "tensor_parallel": _ways(row, engine, gpus),
        # Speed does not depend on these.
        "release": "5.0", "attention": "sdpa", "kv_cache": "16bit",
        **_sizes(row, assumed),
    }  # fmt: skip
    try:
        return ask(Inference, given, model=model, card=card, gpus=gpus, assumed=assumed)
    except QuestionError as error:
        raise CannotEstimate(str(error).replace("\n", "; ")) from error


def figure(row: Row, quantity: str) -> str:
    """Which of ``estimators.inference_speed.FIGURES`` a row states: of "prefill-speed" or of "decode-speed"."""
    if quantity == "prefill-speed":
        return "prefill"
    what = (row.get("what_is_measured") or "").lower()
    if number(row.get("decode_tok_s")):
        with_prompt = re.search(r"incl\w*\.? prefill|total time|end.to.end|\be2e\b|whole request", what)
        return "output" if with_prompt else "decode"
    if number(row.get("total_output_tok_s")):
        return "output"
    return "combined" if number(row.get("combined_tok_s")) else "decode"


def _card(row: Row, names: Names, assumed: list[str]) -> Card:
    """The card; of different cards side by side ("RTX 4090 + RTX 3090 Ti") the slowest for all."""
    parts = [part for part in (row.get("gpu") or "").split("+") if part.strip()]
    noted: list[str] = []
    found = [card_of({**row, "gpu": part}, names, noted) for part in parts or [""]]
    cards = [card for card in found if card is not None]
    if len(cards) < len(found):
        raise CannotEstimate(next(note for note in noted if note.startswith("card: ")))
    slowest = min(cards, key=lambda card: (card.gpu.memory.bandwidth_gb_s, numbers.of_card(card)["rate_tensor16"]))
    assumed += noted if len(cards) == 1 else [f"card = {slowest.gpu.slug} (the slowest of {row['gpu']})"]
    return slowest


def _decoder(row: Row, assumed: list[str]) -> Row:
    decoder = _DECODERS.get((row.get("model") or "").strip().lower())
    if decoder is None:
        return row
    assumed.append(f"model = {decoder} (the text part of {row['model']})")
    return {**row, "model": decoder}


def _weights(row: Row, text: str, engine: str, in_name: str | None, assumed: list[str]) -> Weights:
    cell = (row.get("quantization") or "").strip()
    of_llama_cpp = engine in ("llama.cpp", "ollama")
    if of_llama_cpp and "default" in cell.lower():
        # Ollama's own tags: gpt-oss as it was published, everything else in Q4_K_M.
        tag = "mxfp4" if "gpt-oss" in (row.get("model") or "").lower() else "q4_k_m"
        assumed.append(f"weights = {tag}")
        return Weights(tag)
    if not cell:
        found = Weights(in_name or ("fp16" if of_llama_cpp else "bf16"))
        assumed += [] if in_name else [f"weights = {found.format}"]
        return found
    named = stored(cell)
    if named is None:
        raise CannotEstimate(f"weight format {cell!r} is not known")
    bare = re.fullmatch(r"(?:int)?([48])[- _]?(?:bits?)?", cell.lower())
    found = _own_format(int(bare[1]), text, engine) if bare else named
    if found != named:
        assumed.append(f"weights = {found}")
    return found


def _own_format(bits: int, text: str, engine: str) -> Weights:
    """A bare "int4" or "int8" in the format that the engine has for so many bits."""
    if engine in ("llama.cpp", "ollama"):
        return Weights("q8_0" if bits == 8 else "q4_k_m")
    if engine == "exllamav2":
        return Weights("exl2", bits=float(bits))
    if engine in ("exllama", "autogptq"):
        return Weights(f"gptq-int{bits}")
    if bits == 4 and (engine == "tinychat" or "awq" in text):
        return Weights("awq-int4")
    # Engines that have several: as the library that most of them began with.
    return Weights("int8" if bits == 8 else "nf4-dq")


def _ways(row: Row, engine: str, gpus: int) -> int:
    """GPUs that share each matrix; 0 = as the engine does by itself."""
    text = (row.get("parallelism") or "").lower()
    if re.search(r"layer|device_map|pipeline", text):
        return 1
    # Compiled engines that put layers on cards know nothing else, whatever the row calls it.
    switches = options.load().numbers("engine_speed", engine)
    return gpus if "tensor" in text and (switches["python_engine"] or not switches["layer_stages"]) else 0


def _sizes(row: Row, assumed: list[str]) -> dict[str, int]:
    batch, prompt, generated = whole(row, "batch"), whole(row, "prompt_len"), whole(row, "gen_len")
    if batch is None:
        stated = re.search(r"\d+", row.get("concurrency") or "")
        batch = min(int(stated[0]), OFFLINE_BATCH) if stated else 1
        assumed.append(f"batch = {batch}")
    if prompt is None:
        prompt = PROMPT
        assumed.append(f"prompt = {PROMPT}")
    if generated is None:
        generated = GENERATED
        assumed.append(f"generated = {GENERATED}")
    return {"batch": batch, "prompt": prompt, "generated": generated}
