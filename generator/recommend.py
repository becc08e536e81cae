"""All cards × one job, ranked; and the inverse question: one card, or a budget, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from generator import estimate, gates, grid, numbers, pricing
from generator.catalog import Card, Catalog, card_order
from generator.estimators import CannotEstimate
from generator.pricing import Offer
from generator.question import Question
from generator.schema.model import LanguageModel

LENGTHS = (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072)
_ORDER = {"fits": 0, "tight": 1, "no": 2}


@dataclass(frozen=True)
class Choice:
    """One card for one job."""

    card: Card
    memory: estimate.Memory
    speed: estimate.Speed | None
    gates: tuple[gates.Gate, ...]
    rent: Offer | None
    purchase: Offer | None

    @property
    def blocked(self) -> bool:
        """Whether something other than memory stops the job."""
        return any(gate.blocks for gate in self.gates)

    @property
    def ending(self) -> bool:
        """Whether PyTorch has dropped the card: nothing to buy for the job."""
        return any(gate.key == "last_pytorch_release" and gate.status == "end_of_life" for gate in self.gates)


@dataclass(frozen=True)
class Ranking:
    """Cards that can do the job, best first, and the four that most readers look for."""

    choices: tuple[Choice, ...]
    too_small: int
    cheapest: Choice | None
    cheapest_rent: Choice | None
    fastest: Choice | None


def rank(question: Question, catalog: Catalog, budget: float | None = None, currency: str = "USD") -> Ranking:
    """Every card for one question, those that fit first, then by price of purchase, unknown prices last.

    ``budget`` is for all cards of the question together. Raises CannotEstimate when the job itself cannot be estimated.
    """
    found = []
    for card in sorted(catalog.cards.values(), key=card_order):
        asked = replace(question, card=card, capacity_gib=None)
        try:
            memory = estimate.memory(asked)
        except CannotEstimate:
            continue
        if memory.verdict is None:
            continue
        found.append(
            Choice(card, memory, None, gates.gates(asked, catalog), pricing.rent(card, catalog.today, currency),
                   pricing.purchase(card, catalog.today, currency))
        )  # fmt: skip
    if not found:
        estimate.memory(question)
    possible = [c for c in found if c.memory.verdict != "no" and not c.blocked]
    if budget is not None:
        possible = [c for c in possible if c.purchase is not None and c.purchase.price * question.gpus <= budget]
    timed = [replace(choice, speed=_speed(question, choice.card)) for choice in possible]
    timed.sort(key=_key)
    comfortable = [c for c in timed if c.memory.verdict == "fits" and not c.ending]
    return Ranking(
        choices=tuple(timed),
        too_small=sum(c.memory.verdict == "no" for c in found),
        cheapest=min(
            (c for c in comfortable if c.purchase), key=lambda c: c.purchase.price if c.purchase else 0, default=None
        ),
        cheapest_rent=min((c for c in comfortable if c.rent), key=_rent_per_token, default=None),
        fastest=max(
            (c for c in comfortable if c.speed),
            key=lambda c: c.speed.tokens_per_s.value if c.speed else 0,
            default=None,
        ),
    )


def _speed(question: Question, card: Card) -> estimate.Speed | None:
    try:
        return estimate.speed(replace(question, card=card, capacity_gib=None))
    except CannotEstimate:
        return None


def _key(choice: Choice) -> tuple[int, bool, float, str]:
    price = choice.purchase.price if choice.purchase else 0.0
    return (_ORDER[choice.memory.verdict or "no"], choice.purchase is None, price, choice.card.gpu.slug)


def _rent_per_token(choice: Choice) -> float:
    """Rent for the same work: a faster card may be the cheaper one."""
    assert choice.rent is not None
    return choice.rent.price / (choice.speed.tokens_per_s.value if choice.speed else 1.0)


@dataclass(frozen=True)
class Possible:
    """What one card can do with one model by one method: the longest sequence, 0 = none of :data:`LENGTHS`."""

    model: LanguageModel
    method: str
    longest: int


def possible(
    card: Card, catalog: Catalog, methods: Sequence[str], gpus: int = 1, models: Sequence[LanguageModel] | None = None
) -> list[Possible]:
    """The inverse question: for every method and model the longest sequence that fits, largest models first."""
    chosen = list(models if models is not None else catalog.models.values())
    found = []
    for method in methods:
        table = _grid(method, chosen, card, gpus)
        longest = table.longest()[:, 0]
        found += [Possible(m, method, int(n)) for m, n in zip(table.models, longest, strict=True) if n > 0]
    size = {m.slug: numbers.of_model(m)["parameters"] for m in {p.model.slug: p.model for p in found}.values()}
    order = {method: i for i, method in enumerate(methods)}
    return sorted(found, key=lambda p: (order[p.method], -size[p.model.slug], p.model.slug))


def _grid(method: str, models: Sequence[LanguageModel], card: Card, gpus: int) -> grid.Grid:
    if method == "run":
        return grid.inference(models, LENGTHS, [card], gpus)
    sharding = {} if gpus == 1 else {"sharding": "fsdp2" if method == "full" else "ddp"}
    return grid.training(models, LENGTHS, [card], method, gpus, **sharding)


def largest(found: Sequence[Possible], at_least: int) -> Possible | None:
    """The largest model of a list that reaches a length, None when none does."""
    return next((p for p in found if p.longest >= at_least), None)
