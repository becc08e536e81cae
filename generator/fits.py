"""What fits where: common jobs × models × cards, computed once a build for all pages of both languages.

Every figure is for one GPU. Where several work together it is what each of them must hold, never a sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from generator import calibration, estimate, gates, grid, numbers, parameters, recommend, verdict
from generator.catalog import Card, Catalog
from generator.estimate import Interval
from generator.i18n import N_
from generator.question import Inference, Question, Training, ask
from generator.schema.model import LanguageModel

LENGTHS = recommend.LENGTHS
# Tokens of the example that stands beside every job; shorter only where the model's context is.
EXAMPLE = 2048
# Tokens of it that are the answer, when a model is run.
ANSWER = 256
COUNTS = (1, 2, 4, 8)
_SHORT = tuple(n for n in LENGTHS if n <= EXAMPLE)
_WORDS: tuple[verdict.Verdict, ...] = ("fits", "tight", "no")
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Job:
    """A job as people name it. ``title`` and other texts are interface strings.

    ``shared`` are the options that several GPUs need on top of ``options``, ``leaner`` one well-known change that
    needs less memory and changes no result that matters; ``splits_heads``: the number of GPUs must divide the heads.
    """

    id: str
    title: str
    setting: str
    kind: type[Training] | type[Inference]
    options: Mapping[str, Any]
    shared: Mapping[str, Any] = field(default_factory=dict)
    sharing: str = ""
    leaner: Mapping[str, Any] = field(default_factory=dict)
    leaner_text: str = ""
    splits_heads: bool = False

    def question(self, model: LanguageModel, length: int, leaner: bool = False) -> Question:
        """The job on one GPU with so many tokens (for inference: prompt and answer). Raises QuestionError."""
        size = (
            {"sequence": length} if self.kind is Training else {"prompt": length - ANSWER, "generated": ANSWER}
        )  # fmt: skip
        return ask(self.kind, {**self.options, **(self.leaner if leaner else {}), **size}, model=model)


_LINEAR = {"loss": "linear"}
_LINEAR_TEXT = N_("with a fused loss (Liger Kernel, Unsloth)")
_IN_TURN = N_("layers split over the cards, which work one after the other")
_FSDP = N_("weights, gradients and optimizer shared (FSDP)")
JOBS: tuple[Job, ...] = (
    Job("run4", N_("Run in 4 bits"), N_("Q4_K_M in llama.cpp or Ollama"), Inference,
        {"weights": "q4_k_m", "engine": "llama.cpp"}, sharing=_IN_TURN),
    Job("run16", N_("Run in 16 bits"), N_("BF16 in vLLM or Transformers"), Inference,
        {"weights": "bf16", "engine": "vllm"}, sharing=N_("every matrix shared (tensor parallel)"), splits_heads=True),
    Job("qlora", N_("QLoRA"), N_("Adapters on a 4-bit base"), Training, {"method": "qlora"}, {"sharding": "device_map"},
        _IN_TURN, _LINEAR, _LINEAR_TEXT),
    Job("lora", N_("LoRA"), N_("Adapters on a 16-bit base"), Training, {"method": "lora"}, {"sharding": "fsdp"},
        _FSDP, _LINEAR, _LINEAR_TEXT),
    Job("full", N_("Full fine-tune"), N_("Every weight, in BF16 with AdamW"), Training, {"method": "full"},
        {"sharding": "fsdp2"}, _FSDP, {"optimizer": "adamw-8bit"}, N_("with 8-bit AdamW (bitsandbytes)")),
)  # fmt: skip
JOB = {job.id: job for job in JOBS}
# From random weights one keeps them, gradients and AdamW's states in FP32; only on the home page.
SCRATCH = Job(
    "scratch", N_("Train from scratch"), N_("FP32 weights and AdamW, computing in BF16"), Training,
    {"method": "full", "precision": "amp-bf16"},
)  # fmt: skip

# Cards that people ask about most, one of each kind that is bought or rented today; the order is that of a tie.
POPULAR = (
    "rtx-3060-12gb", "rtx-4060-ti-16gb", "t4", "rtx-3090", "rtx-4090", "rtx-5090", "rtx-a6000", "l40s",
    "a100-sxm4-80gb", "h100-sxm5-80gb", "rtx-pro-6000-blackwell-ws", "h200-sxm-141gb", "b200-sxm-180gb",
)  # fmt: skip
# Several of which card, where one is not enough: one to buy, then ones to rent.
TO_BUY, TO_RENT = "rtx-4090", ("h100-sxm5-80gb", "h200-sxm-141gb", "b200-sxm-180gb")
# One well-known model for each size that people name.
SIZES: tuple[tuple[str, str], ...] = (
    ("1B", "llama-3.2-1b"), ("3B", "llama-3.2-3b"), ("8B", "llama-3.1-8b"), ("14B", "qwen2.5-14b"),
    ("32B", "qwen2.5-32b"), ("70B", "llama-3.1-70b"),
)  # fmt: skip
# Families among which "the largest model" is looked for: open, current, widely used.
FAMILIES = (
    "llama3.1", "llama3.2", "llama3.3", "llama4", "qwen2.5", "qwen3", "qwen3-moe", "mistral", "mixtral", "gemma3",
    "phi3", "gpt-oss", "glm4", "glm4-moe", "deepseek-v3", "olmo2", "olmo3", "smollm3", "seed-oss", "kimi-k2",
)  # fmt: skip
# The example of the home page: one family in the sizes that people ask about.
HOME = ("qwen2.5-3b", "qwen2.5-7b", "qwen2.5-14b", "qwen2.5-32b", "qwen2.5-72b")
HOME_JOBS: tuple[Job, ...] = (JOB["run4"], JOB["qlora"], JOB["lora"], JOB["full"], SCRATCH)
HOME_MODEL = "qwen2.5-7b"
# Cards named as examples of a size of memory.
NAMED = 3
# A change that saves less GiB is not worth a line.
SAVES = 0.05


@dataclass(frozen=True)
class Reach:
    """How long a sequence one card takes: the longest that fits, and the longest that fits or is tight; 0 = none."""

    fits: int
    tight: int


@dataclass(frozen=True)
class MemoryClass:
    """The smallest size of memory that does, with cards that have it, best known first."""

    gib: float
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Several:
    """The fewest cards of a kind that do the job together, and what each of them must hold."""

    card: Card
    count: int
    verdict: verdict.Verdict
    gib: float


@dataclass(frozen=True)
class Answer:
    """Which card one job needs for one model. None: no single card does."""

    job: Job
    need: Interval
    smallest: MemoryClass | None
    tight: MemoryClass | None
    leaner: MemoryClass | None
    comfortable: MemoryClass | None
    several: tuple[Several, ...]


@dataclass(frozen=True)
class Group:
    """Cards with the same memory and the same answers. ``reach`` is by job, None where a job does not run at all."""

    gib: float
    reach: tuple[Reach | None, ...]
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Change:
    """One change of an example and what it saves, in GiB; ``text`` is an interface string."""

    text: str
    gib: float


@dataclass(frozen=True)
class Largest:
    """The largest of the well-known models that a card does a job with, at the example's length at least."""

    model: LanguageModel
    reach: Reach


class _Columns:
    """Cards with the same numbers share a column: a hundred names for one piece of silicon cost nothing.

    Columns stand in the order of their memory.
    """

    def __init__(self, cards: Iterable[Card]) -> None:
        found: dict[tuple[float, ...], list[Card]] = {}
        for card in sorted(cards, key=lambda c: (c.gpu.memory.memory_gib, c.gpu.slug)):
            known = numbers.of_card(card)
            key = tuple(known[n] for n in ("card_bytes", "inline_ecc", "sms", "compute_capability"))
            found.setdefault(key, []).append(card)
        self.alike: list[list[Card]] = list(found.values())
        self.first = [cards[0] for cards in self.alike]
        self.gib = [card.gpu.memory.memory_gib for card in self.first]
        self.at = {card.gpu.slug: j for j, cards in enumerate(self.alike) for card in cards}


class Fits:
    """All answers for the pages. Grids are computed when first asked for, once for both languages."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._columns = _Columns(catalog.cards.values())
        self._gates: dict[tuple[str, str], tuple[gates.Gate, ...]] = {}

    # --- models and lengths

    @cached_property
    def models(self) -> Mapping[str, LanguageModel]:
        """Models that can be estimated, by slug."""
        return MappingProxyType({slug: m for slug, m in self.catalog.models.items() if m.shape is not None})

    @cached_property
    def _row(self) -> dict[str, int]:
        return {slug: i for i, slug in enumerate(self.models)}

    @cached_property
    def _contexts(self) -> npt.NDArray[np.int64]:
        return np.array([m.max_context or max(LENGTHS) for m in self.models.values()])

    @cached_property
    def _examples(self) -> npt.NDArray[np.int64]:
        """Of each model, the place of its example among the lengths."""
        most = np.clip(self._contexts, LENGTHS[0], EXAMPLE)
        return np.searchsorted(np.array(LENGTHS), most, side="right") - 1

    def example(self, model: LanguageModel) -> int:
        """Tokens of the example for a model: its context where that is shorter."""
        return LENGTHS[self._examples[self._row[model.slug]]]

    @cached_property
    def sizes(self) -> list[tuple[str, LanguageModel]]:
        """One model for each size."""
        return [(size, self.models[slug]) for size, slug in SIZES if slug in self.models]

    @cached_property
    def _well_known(self) -> list[LanguageModel]:
        # Distilled models have the shape of the model they started from.
        known = [m for m in self.models.values() if m.family in FAMILIES and "distill" not in m.slug]
        return sorted(known, key=lambda m: (parameters.count(m) or 0, m.released or ""), reverse=True)

    # --- grids of all models

    def _grid(
        self, job: Job, cards: Sequence[Card], lengths: Sequence[int], gpus: int | Sequence[int] = 1, **more: Any
    ) -> grid.Grid:
        given, models = {**job.options, **more}, list(self.models.values())
        if job.kind is Training:
            found = grid.training(models, lengths, cards, given.pop("method"), gpus, **given)
        else:
            found = grid.inference(models, lengths, cards, gpus, ANSWER, **given)
        # Rows are looked up by the place of the model.
        assert len(found.models) == len(models)
        return found

    @cached_property
    def _grids(self) -> dict[str, grid.Grid]:
        """One GPU: models × lengths × columns, for each job."""
        return {job.id: self._grid(job, self._columns.first, LENGTHS) for job in (*JOBS, SCRATCH)}

    @cached_property
    def _lean(self) -> dict[str, grid.Grid]:
        """The same with the leaner option, as far as the examples need it."""
        return {job.id: self._grid(job, self._columns.first, _SHORT, **job.leaner) for job in JOBS if job.leaner}

    @cached_property
    def _alone(self) -> dict[str, grid.Grid]:
        """Without a card: what a job needs."""
        return {job.id: self._grid(job, [], _SHORT) for job in (*JOBS, SCRATCH)}

    def _at_example(self, table: npt.NDArray[Any], step: int = 0) -> npt.NDArray[Any]:
        """(models, cards) of a table of models × lengths × cards; ``step`` 1 for twice the tokens, −1 for half."""
        places = np.maximum(self._examples + step, 0)
        return np.asarray(table[np.arange(len(places)), places])

    @cached_property
    def _reaches(self) -> dict[str, tuple[list[list[int]], list[list[int]]]]:
        """Longest lengths that fit, and that fit or are tight, models × columns, never beyond the model's context."""
        lengths = np.array([0, *LENGTHS])
        within = (lengths[None, 1:] <= self._contexts[:, None])[:, :, None]
        # A longer sequence never needs less: how many lengths do tells the longest.
        return {name: (lengths[(within & (found.verdicts < 1)).sum(axis=1)].tolist(),
                       lengths[(within & (found.verdicts < 2)).sum(axis=1)].tolist())
                for name, found in self._grids.items() if name in JOB}  # fmt: skip

    # --- one card

    def reach(self, job: Job, model: LanguageModel, card: Card) -> Reach:
        """How long a sequence one card takes."""
        fits, tight = self._reaches[job.id]
        row, column = self._row[model.slug], self._columns.at[card.gpu.slug]
        return Reach(fits[row][column], tight[row][column])

    def reaches(self, model: LanguageModel, card: Card) -> list[Reach | None]:
        """The same for every job; None where one does not run."""
        return [None if self.blocked(job, card) else self.reach(job, model, card) for job in JOBS]

    def gates(self, job: Job, card: Card) -> tuple[gates.Gate, ...]:
        """What stands in the way of a job on a card besides memory."""
        key = (job.id, card.architecture.compute_capability)
        if key not in self._gates:
            # Which model is asked about does not matter: gates look at the card and the work.
            question = replace(job.question(next(iter(self.models.values())), EXAMPLE), card=card)
            if isinstance(question.work, Training):
                question = replace(question, work=replace(question.work, attention="flash"))
            self._gates[key] = gates.gates(question, self.catalog)
        return self._gates[key]

    def blocked(self, job: Job, card: Card) -> bool:
        """Whether software or number formats rule the job out."""
        return any(gate.blocks for gate in self.gates(job, card))

    @cached_property
    def popular(self) -> list[Card]:
        """The cards of the short tables, least memory first."""
        known = [self.catalog.cards[slug] for slug in POPULAR if slug in self.catalog.cards]
        return sorted(known, key=lambda card: card.gpu.memory.memory_gib)

    def largest(self, job: Job, card: Card) -> Largest | None:
        """The largest well-known model for one card and job; None where not even the smallest fits."""
        if self.blocked(job, card):
            return None
        for model in self._well_known:
            reach = self.reach(job, model, card)
            if reach.tight >= self.example(model):
                return Largest(model, reach)
        return None

    def groups(self, model: LanguageModel) -> list[Group]:
        """All cards by memory; cards of one size stand together where their answers agree."""
        found: dict[tuple[float, tuple[int, ...]], list[Card]] = {}
        row, columns = self._row[model.slug], self._columns
        parts = [part[row] for job in JOBS for part in self._reaches[job.id]]
        for j, (lengths, cards) in enumerate(zip(zip(*parts, strict=True), columns.alike, strict=True)):
            if shut := self._shut[j]:
                lengths = tuple(-1 if i // 2 in shut else n for i, n in enumerate(lengths))
            found.setdefault((columns.gib[j], lengths), []).extend(cards)
        return [
            Group(gib, tuple(Reach(*lengths[i : i + 2]) if lengths[i] >= 0 else None
                             for i in range(0, len(lengths), 2)),
                  tuple(sorted(cards, key=lambda c: c.gpu.name)))
            for (gib, lengths), cards in sorted(found.items(), key=lambda item: (item[0][0], -sum(item[0][1])))
        ]  # fmt: skip

    @cached_property
    def _shut(self) -> list[frozenset[int]]:
        """For each column the places of the jobs that do not run there. Its cards have one compute capability."""
        return [frozenset(i for i, job in enumerate(JOBS) if self.blocked(job, card)) for card in self._columns.first]

    # --- one model

    def need(self, job: Job, model: LanguageModel) -> Interval:
        """GiB that one GPU must have for the example, the CUDA context among them."""
        row = self._row[model.slug]
        need, allocated = (float(table[row, 0]) / estimate.GIB for table in self._needs[job.id])
        low, high = self._band[job.id]
        return Interval(need, need + allocated * (low - 1), need + allocated * (high - 1))

    @cached_property
    def _needs(self) -> dict[str, tuple[Array, Array]]:
        return {name: (self._at_example(g.need), self._at_example(g.allocated)) for name, g in self._alone.items()}

    @cached_property
    def _band(self) -> dict[str, tuple[float, float]]:
        """Low and high factor on allocated memory; the same for all questions of one job."""
        model = next(iter(self.models.values()))
        memories = {job.id: estimate.memory(job.question(model, self.example(model))).gib for job in (*JOBS, SCRATCH)}
        return {name: (gib.low / gib.value, gib.high / gib.value) for name, gib in memories.items()}

    @cached_property
    def runs(self) -> Mapping[str, tuple[int, int]]:
        """For each verdict on training: how many published runs with it finished, and of how many."""
        found = calibration.load("training-memory").facts["verdicts"]
        return {word: (int(finished), int(total)) for word, (finished, total) in found.items()}

    def breakdown(self, job: Job, model: LanguageModel) -> estimate.Memory:
        """The terms of the example."""
        return estimate.memory(job.question(model, self.example(model)))

    def answers(self, model: LanguageModel) -> list[Answer]:
        """Which card every job needs for a model, at the example's length."""
        return [self._answer(job, model) for job in JOBS]

    def _answer(self, job: Job, model: LanguageModel) -> Answer:
        row = self._row[model.slug]
        smallest, tight, lean, room = (found[row] for found in self._classes[job.id])
        # What does not need less than the choice before it is not worth naming.
        lean = _less(lean, smallest)
        tight = _less(_less(tight, smallest), lean)
        return Answer(job, self.need(job, model), smallest, tight, lean, room, self._choice_of_several(job, model))

    def smallest(self, job: Job, model: LanguageModel) -> MemoryClass | None:
        """The least memory with which a card to buy or rent does the example."""
        return self._classes[job.id][0][self._row[model.slug]]

    @cached_property
    def _classes(self) -> dict[str, tuple[list[MemoryClass | None], ...]]:
        """For each job and model the least memory that fits, that is tight, that fits with the leaner option, that
        fits twice the tokens.
        """
        found = {}
        for job in (*JOBS, SCRATCH):
            codes = self._grids[job.id].verdicts
            now, room = self._at_example(codes), self._at_example(codes, 1)
            lean = self._at_example(self._lean[job.id].verdicts) if job.leaner else np.full_like(now, 2)
            found[job.id] = tuple(self._least(job, able) for able in (now < 1, now < 2, lean < 1, room < 1))
        return found

    def _least(self, job: Job, able: npt.NDArray[np.bool_]) -> list[MemoryClass | None]:
        """From which cards do it, (models, columns), the least memory and the best known cards that have it."""
        worth = [[c for c in cards if _sold(c) and not self._obstacles(job, c)] for cards in self._columns.alike]
        able = able & np.array([bool(cards) for cards in worth])
        gib = np.array(self._columns.gib)
        least = np.where(able.any(axis=1), gib[able.argmax(axis=1)], 0.0)
        same = able & (gib[None, :] == least[:, None])
        known: dict[tuple[int, ...], MemoryClass | None] = {(): None}
        found = []
        for row in same:
            places = tuple(np.flatnonzero(row).tolist())
            if places not in known:
                cards = sorted((c for j in places for c in worth[j]), key=_fame)
                known[places] = MemoryClass(self._columns.gib[places[0]], tuple(cards[:NAMED]))
            found.append(known[places])
        return found

    def _obstacles(self, job: Job, card: Card) -> bool:
        """Whether anything but a missing FlashAttention, which is only slower, stands in the way."""
        return any(gate.key != "flash_attention_2" for gate in self.gates(job, card))

    # --- several cards of a kind

    def several(self, job: Job, model: LanguageModel) -> list[Several | None]:
        """For each popular card the fewest of 1, 2, 4 or 8 that do the example; tight numbers where none fits."""
        return self._several[job.id][self._row[model.slug]]

    def severals(self, model: LanguageModel, card: Card) -> list[tuple[Several | None, bool]]:
        """The same for every job on one popular card, with whether the job does not run there."""
        place = self._place[card.gpu.slug]
        return [(self.several(job, model)[place], self.blocked(job, card)) for job in JOBS]

    @cached_property
    def _several(self) -> dict[str, list[list[Several | None]]]:
        return {job.id: self._fewest(job) for job in JOBS}

    def _fewest(self, job: Job) -> list[list[Several | None]]:
        """Models × popular cards."""
        cards, more = self.popular, COUNTS[1:]
        columns = [self._columns.at[card.gpu.slug] for card in cards]
        one = self._grids[job.id]
        many = self._grid(job, cards * len(more), _SHORT, [n for n in more for _ in cards], **job.shared)
        codes, needs = (
            np.concatenate([self._at_example(a)[:, columns], self._at_example(b)], axis=1)
            .reshape(len(self.models), len(COUNTS), len(cards))
            for a, b in ((one.verdicts, many.verdicts), (one.need, many.need))
        )  # fmt: skip
        if job.splits_heads:
            heads = np.array([m.shape.attention.heads if m.shape else 1 for m in self.models.values()])
            codes = np.where((heads[:, None] % np.array(COUNTS) > 0)[:, :, None], 2, codes)
        # The first number with the best verdict, as argmin tells the first of equals.
        best = codes.argmin(axis=1)
        code = np.take_along_axis(codes, best[:, None], axis=1)[:, 0].tolist()
        need = (np.take_along_axis(needs, best[:, None], axis=1)[:, 0] / estimate.GIB).tolist()
        return [
            [None if c > 1 else Several(card, COUNTS[n], _WORDS[c], gib)
             for card, c, n, gib in zip(cards, *row, strict=True)]
            for row in zip(code, best.tolist(), need, strict=True)
        ]  # fmt: skip

    def _choice_of_several(self, job: Job, model: LanguageModel) -> tuple[Several, ...]:
        """Several of the card that one buys and of the smallest one rents, where one of them is not enough."""
        known = {s.card.gpu.slug: s for s in self.several(job, model) if s is not None}
        chosen = (next((known[slug] for slug in slugs if slug in known), None) for slugs in ((TO_BUY,), TO_RENT))
        return tuple(s for s in chosen if s is not None and s.count > 1)

    # --- changes and speed

    def changes(self, job: Job, model: LanguageModel) -> list[Change]:
        """What single changes of the example save, the most helpful first."""
        row, now = self._row[model.slug], self._at_example(self._grids[job.id].need)
        tables = [(N_("with half the tokens"), self._at_example(self._grids[job.id].need, -1))]
        if job.leaner:
            tables.append((job.leaner_text, self._at_example(self._lean[job.id].need)))
        found = [Change(text, float(now[row, 0] - table[row, 0]) / estimate.GIB) for text, table in tables]
        return sorted((c for c in found if c.gib >= SAVES), key=lambda c: -c.gib)

    def speed(self, job: Job, model: LanguageModel, card: Card) -> Interval | None:
        """Tokens/s of the example on one popular card; of the answer alone where a model is run. None: it does not
        fit, or is not known.
        """
        if self.blocked(job, card) or self.reach(job, model, card).tight < self.example(model):
            return None
        found = self._speeds[job.id]
        at = (self._row[model.slug], self._place[card.gpu.slug])
        value = float(found.value[at])
        return Interval(value, float(found.low[at]), float(found.high[at])) if value > 0 else None

    def speeds(self, model: LanguageModel) -> list[tuple[Card, list[Interval | None]]]:
        """The same for every job, of popular cards on which at least one runs."""
        found = [(card, [self.speed(job, model, card) for job in JOBS]) for card in self.popular]
        return [(card, speeds) for card, speeds in found if any(speeds)]

    @cached_property
    def _place(self) -> dict[str, int]:
        return {card.gpu.slug: j for j, card in enumerate(self.popular)}

    @cached_property
    def _speeds(self) -> dict[str, grid.Speeds]:
        models = self.models.values()
        return {job.id: grid.speeds([job.question(m, self.example(m)) for m in models], self.popular) for job in JOBS}


def _less(found: MemoryClass | None, than: MemoryClass | None) -> MemoryClass | None:
    """The class if it is smaller than another, or if there is no other."""
    return found if found and (than is None or found.gib < than.gib) else None


def shares_memory(card: Card) -> bool:
    """Whether CPU and GPU share one memory, so that the system's part comes off."""
    return card.gpu.identity.form_factor in ("soc_module", "desktop_system")


def _sold(card: Card) -> bool:
    """Whether a reader anywhere can put the card into a machine: no laptop, no module, no export variant."""
    return card.gpu.market != "laptop" and not shares_memory(card) and not card.gpu.export_variant


def _fame(card: Card) -> tuple[int, bool, int, str]:
    """Popular cards first, then GeForce cards, then the newest."""
    date = card.gpu.identity.launch_date
    rank = POPULAR.index(card.gpu.slug) if card.gpu.slug in POPULAR else len(POPULAR)
    return (rank, card.gpu.market != "geforce", -date.toordinal() if date else 0, card.gpu.slug)
