"""One question in, one answer out: memory, speed and cost, each with its band, its terms and what was assumed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from generator import calibration, gates, verdict
from generator.calibration import Calibration
from generator.catalog import Catalog
from generator.estimators import (
    CannotEstimate,
    inference_memory,
    inference_speed,
    train_speed,
    training_memory,
)
from generator.formulas import book
from generator.i18n import N_
from generator.question import Inference, Question, QuestionError, Training, check

GIB = 2**30
# Names of the moments at which memory is highest, by the formula that marks them.
MOMENTS = {
    "at_loss": N_("at the loss"),
    "at_first": N_("in the backward pass of the last layer"),
    "at_last": N_("in the backward pass of the first layer"),
    "at_step": N_("in the optimizer step"),
    "at_loading": N_("while the weights load"),
    "at_prompt": N_("while the prompt is read"),
    "at_generation": N_("while the answer is generated"),
}


@dataclass(frozen=True)
class Interval:
    """An estimate with its band: about nine in ten measured cases of its kind lie between low and high."""

    value: float
    low: float
    high: float

    def scaled(self, factor: float) -> Interval:
        """The same in another unit."""
        return Interval(self.value * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True)
class Term:
    """One row of a breakdown; ``name`` is a quantity of the program, ``meaning`` an interface string."""

    name: str
    meaning: str
    value: float


@dataclass(frozen=True)
class Memory:
    """GiB on the fullest GPU. ``terms`` add up to allocated memory at its highest ``moment``."""

    meter: str
    gib: Interval
    allocated_gib: float
    terms: tuple[Term, ...]
    moment: str | None
    need_gib: float
    usable_gib: float | None
    verdict: verdict.Verdict | None
    chance: tuple[int, int] | None
    numbers: Mapping[str, float]


@dataclass(frozen=True)
class Speed:
    """Tokens/s: of one GPU in training, of all GPUs and sequences in inference. ``terms`` are seconds."""

    tokens_per_s: Interval
    per_gpu: bool
    terms: tuple[Term, ...]
    extra: Mapping[str, Interval]
    numbers: Mapping[str, float]


@dataclass(frozen=True)
class Change:
    """One change of the question and what it does to the need, in GiB (negative: less)."""

    option: str
    before: str
    after: str
    gib: float
    verdict: verdict.Verdict | None


@dataclass(frozen=True)
class Answer:
    """Everything about one question. ``reasons`` say why a part is missing."""

    question: Question
    memory: Memory | None
    speed: Speed | None
    gates: tuple[gates.Gate, ...]
    changes: tuple[Change, ...]
    reasons: tuple[str, ...]


def answer(question: Question, catalog: Catalog, exclude_family: str | None = None) -> Answer:
    """Memory, speed, gates and the changes that help most. Never raises for what cannot be estimated."""
    reasons: list[str] = []
    found_memory: Memory | None = None
    found_speed: Speed | None = None
    try:
        found_memory = memory(question, exclude_family)
    except CannotEstimate as reason:
        reasons.append(str(reason))
    if question.card is not None:
        try:
            found_speed = speed(question, exclude_family)
        except CannotEstimate as reason:
            reasons.append(str(reason))
    changes = tuple(helpful(question, found_memory)) if found_memory is not None else ()
    return Answer(
        question, found_memory, found_speed, gates.gates(question, catalog), changes, tuple(dict.fromkeys(reasons))
    )


def memory(question: Question, exclude_family: str | None = None) -> Memory:
    """Memory by the question's meter. Raises CannotEstimate with the reason."""
    if isinstance(question.work, Training):
        fitted = calibration.load("training-memory").excluding(exclude_family)
        numbers = training_memory.estimate(question, fitted)
        usable = numbers["usable_bytes"] if _limited(question) else None
        decided = verdict.verdict(numbers["need"], usable) if usable is not None else None
        return _memory(question, numbers, training_memory.PROGRAM, fitted.bands[training_memory.kind(question)],
                       usable, decided, fitted)  # fmt: skip
    fitted = calibration.load("inference-memory").excluding(exclude_family)
    numbers = inference_memory.estimate(question, fitted)
    band = fitted.bands[inference_memory.kind(question)]
    usable = numbers.get("usable_bytes")
    decided = None
    if usable is not None:
        low, high = fitted.bands["allocated"]
        decided = verdict.between(numbers["allocated"] * low, numbers["allocated"] * high,
                                  usable - numbers["context_bytes"])  # fmt: skip
    return _memory(question, numbers, inference_memory.PROGRAM, band, usable, decided, fitted)


def _limited(question: Question) -> bool:
    return question.card is not None or question.capacity_gib is not None


def _memory(
    question: Question, numbers: Mapping[str, float], program: str, band: tuple[float, float], usable: float | None,
    decided: verdict.Verdict | None, fitted: Calibration,
) -> Memory:  # fmt: skip
    value = numbers[question.meter] / GIB
    # No meter can show more than the card has.
    ceiling = usable / GIB if usable is not None and question.meter != "allocated" else float("inf")
    chances: Mapping[str, Any] = fitted.facts.get("verdicts", {})
    chance = chances.get(decided) if decided else None
    return Memory(
        meter=question.meter,
        gib=Interval(value, value * band[0], max(value, min(value * band[1], ceiling))),
        allocated_gib=numbers["allocated"] / GIB,
        terms=tuple(Term(t.name, t.meaning, t.value / GIB) for t in _terms(program, numbers)),
        moment=next((text for name, text in MOMENTS.items() if numbers.get(name)), None),
        need_gib=numbers["need"] / GIB,
        usable_gib=usable / GIB if usable is not None else None,
        verdict=decided,
        chance=(int(chance[0]), int(chance[1])) if chance else None,
        numbers=numbers,
    )


def _terms(program: str, numbers: Mapping[str, float]) -> Iterator[Term]:
    for formula in book.program(program).formulas:
        if formula.term and numbers[formula.gives] > 0:
            yield Term(formula.gives, book.program(program).quantities[formula.gives].meaning, numbers[formula.gives])


def speed(question: Question, exclude_family: str | None = None) -> Speed:
    """Tokens/s of a question with a card. Raises CannotEstimate with the reason."""
    if isinstance(question.work, Training):
        fitted = calibration.load("train-speed").excluding(exclude_family)
        numbers = train_speed.estimate(question, fitted)
        low, high = train_speed.band(numbers, fitted)
        value = numbers["tokens_per_s"]
        return Speed(
            Interval(value, value * low, value * high), True, tuple(_terms(train_speed.PROGRAM, numbers)), {}, numbers
        )
    fitted = calibration.load("inference-speed").excluding(exclude_family)
    numbers = inference_speed.estimate(question, fitted)
    extra = {}
    for figure in inference_speed.FIGURES:
        low, high = inference_speed.band(question, figure, fitted)
        value = numbers[f"{figure}_tokens_per_s"]
        extra[figure] = Interval(value, value * low, value * high)
    return Speed(extra["decode"], False, tuple(_terms(inference_speed.PROGRAM, numbers)), extra, numbers)


# What a reader can change without changing the model: option, value. Milder changes first.
_TRAINING_CHANGES: tuple[tuple[str, Any], ...] = (
    ("checkpointing", "full"), ("attention", "flash"), ("loss", "linear"), ("micro_batch", 1),
    ("optimizer", "adamw-8bit"), ("optimizer", "paged-adamw-8bit"), ("sharding", "fsdp2"), ("offload", "optimizer"),
    ("method", "lora"), ("method", "qlora"),
)  # fmt: skip
_INFERENCE_CHANGES: tuple[tuple[str, Any], ...] = (
    ("kv_cache", "8bit"), ("batch", 1), ("weights", "awq-int4"), ("weights", "q4_k_m"),
)  # fmt: skip
_WORTH_GIB = 0.05


def helpful(question: Question, now: Memory) -> list[Change]:
    """Single changes that lower the need, the most helpful first."""
    found = []
    for option, value in _variants(question.work):
        changed = _changed(question, option, value)
        if changed is None:
            continue
        try:
            then = memory(changed)
        except CannotEstimate:
            continue
        saved = then.need_gib - now.need_gib
        if saved < -_WORTH_GIB:
            found.append(Change(option, str(getattr(question.work, option)), str(value), saved, then.verdict))
    return sorted(found, key=lambda c: c.gib)


def _variants(work: Training | Inference) -> Iterator[tuple[str, Any]]:
    changes = _TRAINING_CHANGES if isinstance(work, Training) else _INFERENCE_CHANGES
    for option, value in changes:
        if getattr(work, option) != value:
            yield option, value
    if isinstance(work, Training) and work.sequence >= 1024:
        yield "sequence", work.sequence // 2


def _changed(question: Question, option: str, value: Any) -> Question | None:
    """The question with one option changed, None where the change is impossible or means nothing."""
    work = question.work
    other: dict[str, Any] = {option: value}
    if isinstance(work, Training):
        if option == "sharding" and question.gpus == 1:
            return None
        if option == "method":
            order = ("full", "lora", "qlora")
            if order.index(str(value)) <= order.index(work.method):
                return None
            other |= {"weights": "bf16"} if value == "lora" else {"weights": "nf4-dq", "preparation": "kbit"}
        if option == "loss" and work.loss == "parallel":
            return None
    elif (option == "weights" and work.weights not in ("bf16", "fp16", "fp32")) or (
        option == "weights" and (value == "q4_k_m") != (work.engine in ("llama.cpp", "ollama"))
    ):
        return None
    try:
        changed = replace(work, **other)
        problems = check(changed, question.gpus)
    except (QuestionError, TypeError, ValueError):
        return None
    return None if problems else replace(question, work=changed)
