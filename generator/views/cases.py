"""A measured run in words, and the place where its source says so."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from generator.i18n import N_, number
from generator.scoring import number as value_of

Row = Mapping[str, str]
Text = Callable[[str], str]
_GITHUB = re.compile(r"^github\.com/[\w.-]+/[\w.-]+$")
_HASH = re.compile(r"^[0-9a-f]{7,40}\b")
_LINE = re.compile(r":L(\d+)$")
METHODS = {
    "full": N_("full fine-tuning"), "full (pretrain)": N_("pretraining"), "lora": "LoRA", "qlora": "QLoRA",
    "inference": N_("inference"),
}  # fmt: skip


def what(row: Row, text: Text) -> str:
    """A run in one line: model, method or format and engine, lengths, cards. Words of the source stay as they are."""
    parts = [row["model"], *_how(row, text), *_lengths(row, text)]
    card = row.get("gpu") or ""
    if card:
        count = value_of(row.get("n_gpus")) or 1
        parts.append(f"{number(count)} × {card}" if count > 1 and "+" not in card else card)
    return text(", ").join(parts)


def _how(row: Row, text: Text) -> list[str]:
    method = row.get("method") or ""
    found = [text(METHODS.get(method, method))] if method and method != "inference" else []
    stored = row.get("quantization") or (row.get("weights_dtype") if method in ("qlora", "inference") else "")
    engine = row.get("engine") or (row.get("framework") if method == "inference" else "")
    sharding = row.get("sharding") or ""
    return [*found, *(part for part in (stored, engine, sharding if sharding != "none" else "") if part)]


def _lengths(row: Row, text: Text) -> list[str]:
    prompt, generated = value_of(row.get("prompt_len")), value_of(row.get("gen_len"))
    sequence = value_of(row.get("seq_len"))
    batch = value_of(row.get("batch") or row.get("batch_size"))
    if prompt:
        length = f"{number(prompt, 9)} + {number(generated, 9)}" if generated else number(prompt, 9)
    elif sequence:
        length = number(sequence, 9)
    else:
        return [text("batch {n}").format(n=number(batch))] if batch else []
    whole = f"{number(batch)} × {length}" if batch and not generated else length
    whole = f"{number(batch)} × ({length})" if batch and generated else whole
    return [text("{n} tokens").format(n=whole)]


def link(row: Row) -> str:
    """The address of the file and line at the commit that was read, or of the source."""
    place, path = row["source_repo_or_url"].removeprefix("https://"), row["source_path"]
    commit = _HASH.match(row["commit_or_date"])
    if not (_GITHUB.match(place) and commit):
        return f"https://{place}"
    line = _LINE.search(path)
    path = _LINE.sub("", path)
    # GitHub shows lines of what it would else render only when told to show the source.
    anchor = ("?plain=1" if path.endswith((".md", ".rst")) else "") + f"#L{line[1]}" if line else ""
    return f"https://{place}/blob/{commit[0]}/{path}{anchor}"


def where(row: Row) -> str:
    """The source as a link's text."""
    return row["source_repo_or_url"].removeprefix("https://").removeprefix("github.com/")
