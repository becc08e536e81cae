"""Many questions at once: models × lengths × cards as NumPy arrays, for pages and the inverse question.

Memory of a job does not depend on the card, only whether it fits does; so inputs of models stand in columns
(models, 1, 1), lengths in (1, lengths, 1), cards in (1, 1, cards), and the formulas broadcast them. Without cards the
last axis is one card that limits nothing. Where the number of GPUs differs from card to card it is a list beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from generator import calibration, numbers, verdict
from generator.catalog import Card
from generator.estimators import (
    CannotEstimate,
    inference_memory,
    inference_speed,
    train_speed,
    training_memory,
)
from generator.formulas import lowered
from generator.question import Inference, Question, Training, ask
from generator.schema.model import LanguageModel

Array = npt.NDArray[np.float64]
GIB = 2**30


@dataclass(frozen=True)
class Grid:
    """Needs in bytes and verdicts for ``models`` × ``lengths`` × ``cards``; a verdict is 0 fits, 1 tight, 2 no."""

    models: tuple[LanguageModel, ...]
    lengths: tuple[int, ...]
    cards: tuple[Card, ...]
    need: Array
    allocated: Array
    usable: Array
    verdicts: npt.NDArray[np.int8]

    def longest(self) -> npt.NDArray[np.int64]:
        """The longest length that fits or is tight, (models, cards); 0 where none does."""
        fits = self.verdicts < 2
        # A longer sequence never needs less, so the number of lengths that fit tells the longest.
        count = fits.sum(axis=1)
        table = np.array([0, *self.lengths])
        return np.asarray(table[count], dtype=np.int64)


def training(
    models: Sequence[LanguageModel],
    lengths: Sequence[int],
    cards: Sequence[Card],
    method: str,
    gpus: int | Sequence[int] = 1,
    **given: Any,
) -> Grid:
    """A grid of one training method; ``given`` are further options of :class:`Training`. Models without a known
    shape are left out.
    """
    fitted = calibration.load("training-memory")
    known, columns = [], []
    for model in models:
        question = ask(Training, {"method": method, "sequence": 1024, **given}, model=model, gpus=_most(gpus))
        try:
            columns.append(training_memory.inputs(question, fitted))
        except CannotEstimate:
            continue
        known.append(model)
    inputs = _stack(columns, cards, gpus)
    inputs["sequence"] = np.array(lengths, dtype=float)[None, :, None]
    results = lowered.training_memory(inputs)
    shape = (len(known), len(lengths), max(1, len(cards)))
    usable = np.broadcast_to(results["usable_bytes"], shape)
    need = np.broadcast_to(results["need"], shape)
    share = need / usable
    verdicts = (share > verdict.TIGHT).astype(np.int8) + (share > verdict.NO)
    return Grid(tuple(known), tuple(lengths), tuple(cards), need, np.broadcast_to(results["allocated"], shape), usable,
                verdicts.astype(np.int8))  # fmt: skip


def inference(
    models: Sequence[LanguageModel],
    lengths: Sequence[int],
    cards: Sequence[Card],
    gpus: int | Sequence[int] = 1,
    answer: int = 256,
    **given: Any,
) -> Grid:
    """A grid of inference; a length is that of prompt and answer. Models without a known shape are left out."""
    fitted = calibration.load("inference-memory")
    low, high = fitted.bands["allocated"]
    known, columns = [], []
    for model in models:
        try:
            question = ask(Inference, {"prompt": 1024, "generated": answer, **given}, model=model, gpus=_most(gpus))
            columns.append(inference_memory.inputs(question, fitted))
        except CannotEstimate:
            continue
        known.append(model)
    inputs = _stack(columns, cards, gpus)
    tokens = np.array(lengths, dtype=float)[None, :, None]
    inputs["prompt"] = np.maximum(tokens - answer, 1)
    inputs["context_length"] = tokens
    results = lowered.inference_memory(inputs)
    shape = (len(known), len(lengths), max(1, len(cards)))
    allocated = np.broadcast_to(results["allocated"], shape)
    usable = np.broadcast_to(results["usable_bytes"], shape)
    free = usable - results["context_bytes"]
    verdicts = (allocated * high > free).astype(np.int8) + (allocated * low > free)
    return Grid(tuple(known), tuple(lengths), tuple(cards), np.broadcast_to(results["need"], shape), allocated, usable,
                verdicts.astype(np.int8))  # fmt: skip


@dataclass(frozen=True)
class Speeds:
    """Tokens/s with their band for questions × cards, as in :class:`generator.estimate.Speed`; NaN where unknown."""

    value: Array
    low: Array
    high: Array


def speeds(questions: Sequence[Question], cards: Sequence[Card]) -> Speeds:
    """The speed of each question on each card. Questions are alike but for their model and their lengths.

    Every input belongs to the question or to the card, never to both: what is gathered for one card and all questions,
    and for one question and all cards, makes up the whole table.
    """
    of_training = isinstance(questions[0].work, Training)
    estimator: Any = train_speed if of_training else inference_speed
    fitted = calibration.load("train-speed" if of_training else "inference-speed")

    def gathered(question: Question, card: Card) -> dict[str, float] | None:
        try:
            found: dict[str, float] = estimator.inputs(replace(question, card=card), fitted)
        except CannotEstimate:
            return None
        return found

    empty = np.full((len(questions), len(cards)), np.nan)
    pairs = ((q, c) for q in questions for c in cards)
    first = next(((q, c) for q, c in pairs if gathered(q, c) is not None), None)
    if first is None:
        return Speeds(empty, empty, empty)
    rows = {i: found for i, q in enumerate(questions) if (found := gathered(q, first[1])) is not None}
    columns = {j: found for j, c in enumerate(cards) if (found := gathered(first[0], c)) is not None}
    one = next(iter(columns.values()))
    of_card = {name for name in one for other in columns.values() if other[name] != one[name]}
    inputs = {
        name: np.array([c[name] for c in columns.values()], dtype=float)[None, :] if name in of_card
        else np.array([r[name] for r in rows.values()], dtype=float)[:, None]
        for name in one
    }  # fmt: skip
    with np.errstate(all="ignore"):
        results = (lowered.train_speed if of_training else lowered.inference_speed)(inputs)
    shape = (len(rows), len(columns))
    value = np.broadcast_to(results["tokens_per_s" if of_training else "decode_tokens_per_s"], shape)
    if of_training:
        kinds = np.broadcast_to(results["case_kind"], shape).astype(int)
        bands = np.array([fitted.bands[name] for name in train_speed.KINDS])[kinds]
    else:
        bands = np.broadcast_to(np.array(inference_speed.band(questions[0], "decode", fitted)), (*shape, 2))
    where = np.ix_(list(rows), list(columns))
    tables = [empty.copy() for _ in range(3)]
    for table, part in zip(tables, (value, value * bands[..., 0], value * bands[..., 1]), strict=True):
        table[where] = part
    return Speeds(*tables)


def _most(gpus: int | Sequence[int]) -> int:
    return gpus if isinstance(gpus, int) else max(gpus)


def _stack(columns: Sequence[dict[str, float]], cards: Sequence[Card], gpus: int | Sequence[int]) -> dict[str, Any]:
    """Inputs of models as (models, 1, 1), those of cards as (1, 1, cards)."""
    if not columns:
        raise CannotEstimate("no model with a known shape")
    inputs: dict[str, Any] = {n: np.array([c[n] for c in columns], dtype=float)[:, None, None] for n in columns[0]}
    offered = [numbers.of_card(card) for card in cards]
    for name in offered[0] if offered else ():
        if name in inputs:
            inputs[name] = np.array([o[name] for o in offered], dtype=float)[None, None, :]
    if not isinstance(gpus, int):
        inputs["gpus"] = np.array(gpus, dtype=float)[None, None, :]
    return inputs


def words(codes: npt.NDArray[np.int8]) -> list[verdict.Verdict]:
    """Verdict codes as words."""
    names: tuple[verdict.Verdict, ...] = ("fits", "tight", "no")
    return [names[int(code)] for code in codes]
