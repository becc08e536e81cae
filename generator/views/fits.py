"""What fits, in words: table cells, bars, assumptions. Pure; the arithmetic is in :mod:`generator.fits`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from generator import estimate
from generator.catalog import Card
from generator.estimate import Interval
from generator.fits import ANSWER, JOB, JOBS, Fits, Job, MemoryClass, Reach, Several
from generator.i18n import DASH, N_, number
from generator.question import Training
from generator.schema.model import LanguageModel

Text = Callable[[str], str]

# What is assumed where nobody asked: an option with its default, in words. An option missing here shows as it is.
ASSUMED: dict[str, str] = {
    "micro_batch = 1": N_("one sequence at a time on each GPU"),
    "batch = 1": N_("one conversation at a time"),
    "precision = bf16": N_("computing in BF16"),
    "optimizer = adamw": N_("AdamW with its states in the format of the trained weights"),
    "attention = sdpa": N_("attention by PyTorch’s SDPA or FlashAttention"),
    "checkpointing = full": N_("gradient checkpointing of every layer"),
    "loss = stock": N_("the usual loss, which holds the logits of all tokens at once"),
    "weights = nf4-dq": N_("NF4 weights with double quantization"),
    "weights = bf16": N_("BF16 weights"),
    "preparation = kbit": N_("what is not 4 bits turned into FP32, as PEFT prepares a model"),
    "preparation = none": "",
    "rank = 16": N_("adapters of rank 16 in FP32"),
    "targets = q_proj k_proj v_proj o_proj gate_proj up_proj down_proj": N_("adapters on all linear layers"),
    "kv_cache = 16bit": N_("a KV cache in 16 bits"),
}


def short(card: Card) -> str:
    """The name as people say it: RTX 4090, A100 80GB SXM."""
    return re.sub(r"^(GeForce|Quadro|Tesla|NVIDIA) (?=\w)", "", card.gpu.name)


class Cells:
    """Cells of the tables in one language. Few differ, so each is made once."""

    def __init__(self, text: Text, up: str) -> None:
        self._text, self._up = text, up
        self._reaches: dict[Reach | None, Markup] = {}
        self._links: dict[tuple[str, ...], Markup] = {}

    def reach(self, reach: Reach | None) -> Markup:
        """The longest sequence as a whole cell; None: the job does not run at all."""
        if reach not in self._reaches:
            self._reaches[reach] = self._reach(reach)
        return self._reaches[reach]

    def _reach(self, reach: Reach | None) -> Markup:
        _ = self._text
        if reach is None:
            return _cell("no", _("not supported"))
        tight = _("tight at {n}").format(n=number(reach.tight, 9))
        if reach.fits:
            more = f"◐ {tight}" if reach.tight > reach.fits else ""
            return _cell("yes", _("up to {n}").format(n=number(reach.fits, 9)), more)
        return _cell("tight", tight) if reach.tight else _cell("no", _("does not fit"))

    def several(self, found: Several | None) -> Markup:
        """How many cards, and what each must hold, as a whole cell."""
        _ = self._text
        if found is None:
            return _cell("no", _("not with 8"))
        count = self.cards(found.count)
        share = _("{gib} GiB each") if found.count > 1 else _("{gib} GiB")
        return _cell(
            "yes" if found.verdict == "fits" else "tight",
            count if found.verdict == "fits" else _("{cards}, tight").format(cards=count),
            share.format(gib=number(found.gib)),
        )

    def cards(self, count: int) -> str:
        """A number of cards in words."""
        _ = self._text
        return _("1 card") if count == 1 else _("{n} cards").format(n=count)

    def speed(self, speed: Interval | None) -> Markup:
        """Tokens/s with the band, as a whole cell."""
        if speed is None:
            return Markup('<td class="gfg-num">{}</td>').format(DASH)
        band = f"{number(speed.low, 2)}–{number(speed.high, 2)}"
        return Markup('<td class="gfg-num">{}<span class="gfg-hint">{}</span></td>').format(
            number(speed.value, 2), band
        )

    def links(self, cards: Sequence[Card]) -> Markup:
        """Cards by their short names, each a link to its page."""
        key = tuple(card.gpu.slug for card in cards)
        if key not in self._links:
            link = Markup('<a href="{}gpus/{}/">{}</a>')
            made = (link.format(self._up, card.gpu.slug, short(card)) for card in cards)
            self._links[key] = Markup(self._text(", ")).join(made)
        return self._links[key]


def _cell(kind: str, text: str, hint: str = "") -> Markup:
    more = Markup('<span class="gfg-hint">{}</span>').format(hint) if hint else ""
    return Markup('<td class="is-{}"><span class="gfg-fit">{}</span>{}</td>').format(kind, text, more)


def lede(fits: Fits, model: LanguageModel, text: Text) -> str:
    """The answer in one sentence: the smallest card of each job."""
    _, parts = text, []
    for job in JOBS:
        smallest = fits.smallest(job, model)
        phrase = _("{gib} GiB for {job}") if smallest else _("no single card for {job}")
        parts.append(phrase.format(gib=number(smallest.gib) if smallest else "", job=_(IN_SENTENCES[job.id])))
    return _("Smallest card at {n} tokens: {parts}.").format(
        n=number(fits.example(model), 9), parts=_(", ").join(parts)
    )


# Jobs within a sentence.
IN_SENTENCES = {
    "run4": N_("running in 4 bits"), "run16": N_("running in 16 bits"), "qlora": N_("QLoRA"), "lora": N_("LoRA"),
    "full": N_("full fine-tuning"), "scratch": N_("training from scratch"),
}  # fmt: skip


@dataclass(frozen=True)
class Bar:
    """One row of a breakdown: ``share`` is its part of the need in percent."""

    label: str
    gib: float
    share: float


def bars(memory: estimate.Memory) -> list[Bar]:
    """The terms of a need, largest first, and what comes on top of allocated memory."""
    terms = [(t.meaning, t.value) for t in sorted(memory.terms, key=lambda t: -t.value) if t.value >= LEAST]
    terms.append((N_("CUDA context and what the allocator cannot reuse"), memory.need_gib - memory.allocated_gib))
    return [Bar(label, gib, round(100 * gib / memory.need_gib, 1)) for label, gib in terms]


# Terms of less GiB than this are left out of a breakdown.
LEAST = 0.05


@dataclass(frozen=True)
class Assumptions:
    """What one or several jobs take for granted; ``title`` and ``items`` are interface strings."""

    title: str
    items: tuple[str, ...]


def assumptions(model: LanguageModel) -> list[Assumptions]:
    """Every default behind the figures: of all training jobs, then of each one, then of running."""
    by_job = {job: _assumed(job, model) for job in JOBS}
    training = [items for job, items in by_job.items() if job.kind is Training]
    common = tuple(item for item in training[0] if all(item in items for items in training))
    found = [Assumptions(N_("Training"), common)]
    found += [Assumptions(job.title, tuple(i for i in items if i not in common))
              for job, items in by_job.items() if job.kind is Training]  # fmt: skip
    return [*found, Assumptions(N_("Running"), by_job[JOB["run4"]])]


def _assumed(job: Job, model: LanguageModel) -> tuple[str, ...]:
    words = (ASSUMED.get(item, item) for item in job.question(model, 2 * ANSWER).assumed)
    return tuple(dict.fromkeys(word for word in words if word))


def filter_address(memory: MemoryClass) -> str:
    """The query of the table of all cards that shows this much memory and more, cheapest first."""
    return f"memory=%3E%3D{memory.gib:g}&sort=msrp"


# Why a model has no estimate, by kind; a decoder that is none of the plain ones has its own reason.
REASONS = {
    "encoder": N_("Memory is not estimated: the formulas are for models that write text, and an encoder does not."),
    "encoder_decoder": N_("Memory is not estimated: the formulas are for decoders, and this model has an encoder too."),
    "vit": N_("Memory is not estimated: it depends on the size of the images, which the formulas do not know."),
    "cnn": N_("Memory is not estimated: it depends on the size of the images, which the formulas do not know."),
    "diffusion": N_("Memory is not estimated: it depends on the size of the images, which the formulas do not know."),
    "recommender": N_("Memory is not estimated: its embedding tables decide, and they are spread and cached as needed."),
}
_HYBRID = N_("Memory is not estimated: most of its layers are state-space layers, which the formulas do not know.")
_ODD = N_("Memory is not estimated: its layers are not those of a plain decoder, which the formulas are for.")


def reason(model: LanguageModel) -> str:
    """Why there is no estimate for a model, as an interface string."""
    if model.other_shape is not None and model.other_shape.hybrid is not None:
        return _HYBRID
    return REASONS.get(model.kind, _ODD)
