"""Which engine of inference a text names: the option of the tables ``engine`` and ``engine_speed``."""

from __future__ import annotations

import re

# The first that is found counts. Quantizing libraries come before transformers, which they run in.
_PATTERNS = (
    ("gptq", r"gptq[-_ ]for[-_ ]llama"),
    ("exllamav2", r"exllama ?-?v[23]|tabby|\bexl[23]"),
    ("exllama", r"exllama"),
    ("ollama", r"ollama"),
    ("llama.cpp", r"llama\.?-?cpp|ctransformers|gguf|ggml|kobold|lm ?studio|llamafile|localscore|gpt4all|\bjan\b"),
    ("sglang", r"sglang"),
    ("vllm", r"vllm|aphrodite"),
    ("tensorrt-llm", r"tensorrt|trt-?llm|\bnim\b"),
    ("lmdeploy", r"lmdeploy|turbomind"),
    ("deepspeed-mii", r"deepspeed|\bmii\b"),
    ("mlc", r"\bmlc\b"),
    ("ctranslate2", r"ctranslate"),
    ("tinychat", r"tinychat|llm-awq"),
    ("onnx", r"onnx"),
    ("autogptq", r"autogptq|gptqmodel"),
    ("transformers", r"transformers|hugging ?face|\bhf\b|autoawq|optimum|unsloth|bitsandbytes|swift"),
    ("transformers", r"pytorch|candle|litgpt|lightning"),
)


def engine(text: str) -> str | None:
    """The engine that a text names; None where it names none that is known."""
    low = text.lower()
    return next((name for name, pattern in _PATTERNS if re.search(pattern, low)), None)
