"""What fits, in words: table cells, bars, assumptions. Pure; the arithmetic is in :mod:`generator.fits`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from generator import estimate
from generator.catalog import Card
from generator.estimate import Interval
from generator.fits import ANSWER, JOBS, Fits, Job, MemoryClass, Reach, Several
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
    """The name as people say it: RTX 4090, Quadro RTX 6000."""
    return card.gpu.name.removeprefix("GeForce ")


def gib(value: float) -> str:
    """GiB with one decimal, two below 1 and none from 100 on: as precise as an estimate may look."""
    return f"{value:,.{2 if value < 1 else 1 if value < 100 else 0}f}"


class Cells:
    """Cells of the tables in one language, whole rows at once. Few cells differ, so most are made once."""

    def __init__(self, text: Text, up: str) -> None:
        self._text, self._up = text, up
        self._reaches: dict[Reach | None, str] = {}
        self._links: dict[tuple[str, ...], Markup] = {}

    def reach_row(self, found: Iterable[Reach | None]) -> Markup:
        """For each job the longest sequence; None where the job does not run at all."""
        return Markup("").join(Markup(self._reach(reach)) for reach in found)

    def _reach(self, reach: Reach | None) -> str:
        if reach not in self._reaches:
            self._reaches[reach] = self._one_reach(reach)
        return self._reaches[reach]

    def _one_reach(self, reach: Reach | None) -> str:
        _ = self._text
        if reach is None:
            return _cell("no", _("not supported"))
        tight = _("tight at {n}").format(n=number(reach.tight, 9))
        if reach.fits:
            more = f"◐ {tight}" if reach.tight > reach.fits else ""
            return _cell("yes", _("up to {n}").format(n=number(reach.fits, 9)), more)
        return _cell("tight", tight) if reach.tight else _cell("no", _("does not fit"))

    def several_row(self, found: Iterable[tuple[Several | None, bool]]) -> Markup:
        """For each job how many cards and what each must hold; the second says that the job does not run there."""
        _ = self._text
        not_with, tight = _("not with 8"), _("{cards}, tight")
        cells = []
        for several, blocked in found:
            if blocked:
                cells.append(self._reach(None))
            elif several is None:
                cells.append(_cell("no", not_with))
            else:
                cards = f"{several.count} × {gib(several.gib)} GiB"
                cells.append(
                    _cell("yes", cards) if several.verdict == "fits" else _cell("tight", tight.format(cards=cards))
                )
        return Markup("".join(cells))

    def speed_row(self, found: Iterable[Interval | None]) -> Markup:
        """For each job tokens/s with the band."""
        return Markup("").join(Markup(_speed(speed)) for speed in found)

    def links(self, cards: Sequence[Card]) -> Markup:
        """Cards by their short names, each a link to its page."""
        key = tuple(card.gpu.slug for card in cards)
        if key not in self._links:
            link = Markup('<a href="{}gpus/{}/">{}</a>')
            made = (link.format(self._up, card.gpu.slug, short(card)) for card in cards)
            self._links[key] = Markup(self._text(", ")).join(made)
        return self._links[key]

    def names(self, cards: Sequence[Card]) -> str:
        """Cards by their short names."""
        return self._text(", ").join(map(short, cards))


def _cell(kind: str, text: str, hint: str = "") -> str:
    """A cell as HTML: a verdict in words, and what stands below it. The sign before it comes from the style sheet."""
    more = f'<span class="gfg-hint">{escape(hint)}</span>' if hint else ""
    return f'<td class="is-{kind}">{escape(text)}{more}</td>'


def _speed(speed: Interval | None) -> str:
    if speed is None:
        return f'<td class="gfg-num">{DASH}</td>'
    band = f"{number(speed.low, 2)}–{number(speed.high, 2)}"
    return f'<td class="gfg-num">{number(speed.value, 2)}<span class="gfg-hint">{band}</span></td>'


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
    """Every default behind the figures: of all training jobs, then of each one, then of running. Any model will do."""
    known = [(job, _assumed(job, model)) for job in JOBS]
    training = [(job, items) for job, items in known if job.kind is Training]
    common = tuple(item for item in training[0][1] if all(item in items for _, items in training))
    return [
        Assumptions(N_("Training"), common),
        *(Assumptions(job.title, tuple(i for i in items if i not in common)) for job, items in training),
        Assumptions(N_("Running"), known[0][1]),
    ]


def _assumed(job: Job, model: LanguageModel) -> tuple[str, ...]:
    words = (ASSUMED.get(item, item) for item in job.question(model, 2 * ANSWER).assumed)
    return tuple(dict.fromkeys(word for word in words if word))


def obstacles(fits: Fits, card: Card) -> list[tuple[str, list[str]]]:
    """What stands in the way on a card besides memory: an interface string and the titles of the jobs it is about."""
    found: dict[str, list[str]] = {}
    for job in JOBS:
        for gate in fits.gates(job, card):
            found.setdefault(gate.text, []).append(job.title)
    return list(found.items())


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
    "recommender": N_("Memory is not estimated: its embedding tables decide it, which the formulas do not know."),
}
_HYBRID = N_("Memory is not estimated: most of its layers are state-space layers, which the formulas do not know.")
_ODD = N_("Memory is not estimated: its layers are not those of a plain decoder, which the formulas are for.")


def reason(model: LanguageModel) -> str:
    """Why there is no estimate for a model, as an interface string."""
    if model.other_shape is not None and model.other_shape.hybrid is not None:
        return _HYBRID
    return REASONS.get(model.kind, _ODD)
