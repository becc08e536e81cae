"""``python -m generator recommend``: all cards for one job, or everything that one card can do."""

from __future__ import annotations

import argparse
import json
import math
import sys
from typing import Any

from generator import catalog, recommend
from generator.calibration import ROOT
from generator.catalog import Card, Catalog
from generator.commands import options
from generator.commands.estimate import VERDICTS
from generator.estimators import CannotEstimate
from generator.i18n import number
from generator.names import Miss
from generator.question import QuestionError

OK, WRONG_CALL = 0, 2
SHOWN = 25


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of ``python -m generator``."""
    parser = commands.add_parser("recommend", help="which card for a job, or which job for a card")
    parser.add_argument("--model", help="a model by slug, name or Hugging Face id, or the path of a config.json")
    parser.add_argument("--method", choices=options.METHODS, help="full, lora, qlora, or run (inference)")
    parser.add_argument("--own", metavar="GPU", help="a card that you have: what can be done with it")
    parser.add_argument("--budget", type=float, help="most that all cards together may cost")
    parser.add_argument("--currency", choices=("USD", "CNY"), default="USD", help="of the budget (USD)")
    options.add(parser)
    parser.add_argument("--all", action="store_true", help=f"more than the first {SHOWN} lines")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    known = catalog.load(ROOT)
    try:
        if arguments.budget is not None and not (math.isfinite(arguments.budget) and arguments.budget > 0):
            raise QuestionError(f"--budget: {arguments.budget:g} is out of range; expected more than 0")
        if arguments.own is not None:
            return _inverse(arguments, known)
        missing = [n for n in ("model", "method") if getattr(arguments, n) is None]
        if missing:
            raise QuestionError("\n".join(f"--{n}: is missing; expected with every job, or --own GPU" for n in missing))
        return _rank(arguments, known)
    except (QuestionError, CannotEstimate) as error:
        for line in str(error).splitlines():
            print(f"recommend: {line}", file=sys.stderr)
        return WRONG_CALL


def _rank(arguments: argparse.Namespace, known: Catalog) -> int:
    question = options.question(arguments, known, arguments.model, arguments.method, None)
    found = recommend.rank(question, known, arguments.budget, arguments.currency)
    if arguments.json:
        print(json.dumps(_ranking_data(found, question.assumed), indent=2, ensure_ascii=False))
        return OK
    named = {
        "Cheapest that fits": found.cheapest,
        "Cheapest to rent for the work": found.cheapest_rent,
        "Fastest": found.fastest,
    }
    for title, choice in named.items():
        if choice is not None:
            print(f"{title}: {choice.card.gpu.name}")
    rows = found.choices if arguments.all else found.choices[:SHOWN]
    print(f"\n{'card':<34}{'verdict':<14}{'needs':>8}{'usable':>8}{'tokens/s':>10}{arguments.currency:>9}{'/h':>7}")
    for choice in rows:
        speed = choice.speed.tokens_per_s.value if choice.speed else None
        price = number(choice.purchase.price, 4) if choice.purchase else "-"
        rent = number(choice.rent.price) if choice.rent else "-"
        usable, pace = choice.memory.usable_gib or 0, number(speed) if speed else "-"
        print(f"{choice.card.gpu.name[:33]:<34}{VERDICTS[choice.memory.verdict]:<14}{choice.memory.need_gib:>8.1f}"
              f"{usable:>8.1f}{pace:>10}{price:>9}{rent:>7}")  # fmt: skip
    left = len(found.choices) - len(rows)
    if left:
        print(f"… and {left} more (--all)")
    print(f"{found.too_small} cards are too small. GiB per GPU; prices are the newest seen, of any kind.")
    if question.assumed:
        print("Assumed: " + "; ".join(question.assumed))
    return OK


def _ranking_data(found: recommend.Ranking, assumed: tuple[str, ...]) -> dict[str, Any]:
    def slug(choice: recommend.Choice | None) -> str | None:
        return choice.card.gpu.slug if choice else None

    return {
        "cheapest": slug(found.cheapest), "cheapest_rent": slug(found.cheapest_rent), "fastest": slug(found.fastest),
        "too_small": found.too_small, "assumed": list(assumed),
        "cards": [
            {
                "gpu": c.card.gpu.slug, "verdict": c.memory.verdict,
                "need": c.memory.need_gib, "usable": c.memory.usable_gib,
                "tokens_per_s": vars(c.speed.tokens_per_s) if c.speed else None,
                "price": vars(c.purchase) if c.purchase else None, "rent": vars(c.rent) if c.rent else None,
                "gates": [g.key for g in c.gates],
            }
            for c in found.choices
        ],
    }  # fmt: skip


def _inverse(arguments: argparse.Namespace, known: Catalog) -> int:
    card, gpus = _own(arguments, known)
    methods = [arguments.method] if arguments.method else list(options.METHODS)
    models = None
    if arguments.model is not None:
        found = options.named_model(known, arguments.model)
        if isinstance(found, Miss):
            raise QuestionError(str(found))
        models = [found.model]
    possible = recommend.possible(card, known, methods, gpus, models)
    if arguments.json:
        print(
            json.dumps([{"model": p.model.slug, "method": p.method, "longest": p.longest} for p in possible], indent=2)
        )
        return OK
    print(f"{f'{gpus} × ' if gpus > 1 else ''}{card.gpu.name}: longest sequence that fits, batch 1\n")
    for method in methods:
        rows = [p for p in possible if p.method == method]
        shown = rows if arguments.all else rows[:8]
        print(f"{method}: {len(rows)} models")
        for p in shown:
            print(f"  {p.model.name:<40}{p.longest:>8,} tokens")
    print("\nTraining with gradient checkpointing, AdamW in the weights' format, stock loss; run with 16-bit weights.")
    return OK


def _own(arguments: argparse.Namespace, known: Catalog) -> tuple[Card, int]:
    card = known.names.card(arguments.own)
    if isinstance(card, Miss):
        raise QuestionError(str(card))
    if arguments.gpus < 1:
        raise QuestionError(f"gpus: {arguments.gpus} is no number of GPUs; expected 1 or more")
    return card.card, (card.count or 1) * arguments.gpus
