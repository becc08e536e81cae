"""One address for every kind of page, below the root of a language."""

from __future__ import annotations

PREFIX = {"en": "/", "zh": "/zh/"}
TAG = {"en": "en", "zh": "zh-Hans"}
LOCALE = {"en": "en-US", "zh": "zh-CN"}
MISSING = "no-such-page/"  # the only address that may answer 404

KINDS = {
    "home": "",
    "card": "gpus/rtx-3090/",
    "old-card": "gpus/p40/",
    "laptop-card": "gpus/rtx-4090-laptop/",
    "cards": "gpus/",
    "series": "series/geforce-30/",
    "series-hub": "series/",
    "architecture": "architectures/ampere-geforce/",
    "architecture-hub": "architectures/",
    "software": "software/",
    "models": "models/",
    "model": "models/qwen2.5-7b/",
    "model-without-estimate": "models/resnet-50/",
    "prices": "prices/",
    "formula-hub": "formulas/",
    "formula": "formulas/training-memory/",
    "formula-of-cost": "formulas/cost/",
    "accuracy": "accuracy/",
    "glossary": "glossary/",
    "sources": "sources/",
    "about": "about/",
    "missing": MISSING,
}


def address(kind: str, lang: str) -> str:
    """The path of a kind of page in a language."""
    return PREFIX[lang] + KINDS[kind]
