"""Time, energy and money of an answer: the formulas of :mod:`generator.formulas.cost` with dated or own prices."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generator import pricing
from generator.catalog import Catalog
from generator.estimate import Answer, Interval
from generator.formulas import lowered
from generator.i18n import number
from generator.pricing import Offer
from generator.question import Question, QuestionError

CURRENCIES = ("USD", "CNY")


@dataclass(frozen=True)
class Wishes:
    """What the reader says about the job and the money; None: not said."""

    tokens: float | None = None
    currency: str = "USD"
    rent: float | None = None
    price: float | None = None
    kwh_price: float | None = None
    resale: float = 0.0
    hours_per_week: float = 168.0
    power_share: float = 1.0
    host_power_w: float = 0.0


@dataclass(frozen=True)
class Cost:
    """Hours and kWh with the speed's band; money by the middle of it. Money is None where no price is known."""

    tokens: float
    currency: str
    hours: Interval
    energy_kwh: Interval
    rent: Offer | None
    purchase: Offer | None
    rent_cost: float | None
    electricity_cost: float | None
    ownership_cost: float | None
    break_even_hours: float | None
    break_even_months: float | None
    assumed: tuple[str, ...]


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that :func:`wishes` reads."""
    parser.add_argument("--tokens", type=float, help="tokens of the whole job, e.g. 50e6: adds time, energy and cost")
    parser.add_argument("--currency", choices=CURRENCIES, default="USD", help="USD or CNY (USD)")
    parser.add_argument("--rent", type=float, help="own price of one GPU-hour")
    parser.add_argument("--price", type=float, help="own price of one card")
    parser.add_argument("--kwh-price", type=float, help="price of electricity for one kWh")
    parser.add_argument("--resale", type=float, default=0.0, help="share of the price that a resale brings, 0 to 1 (0)")
    parser.add_argument("--hours-per-week", type=float, default=168.0, help="hours of use in a week (168)")
    parser.add_argument("--power-share", type=float, default=1.0, help="share of the board power that is drawn (1)")
    parser.add_argument("--host-power", type=float, default=0.0, help="watts of the rest of the machine (0)")


def wishes(arguments: argparse.Namespace) -> Wishes:
    """The wishes of a command line. Raises QuestionError with one line for each number that makes no sense."""
    limits = {
        "tokens": (1, 1e18), "rent": (0, 1e6), "price": (0, 1e9), "kwh_price": (0, 1e4), "resale": (0, 1),
        "hours_per_week": (1e-9, 168), "power_share": (0, 1.5), "host_power": (0, 1e6),
    }  # fmt: skip
    wrong = []
    for name, (low, high) in limits.items():
        value = getattr(arguments, name)
        if value is not None and not (math.isfinite(value) and low <= value <= high):
            wrong.append(f"--{name.replace('_', '-')}: {value:g} is out of range; expected {low:g} to {high:g}")
    if wrong:
        raise QuestionError("\n".join(wrong))
    a = arguments
    return Wishes(
        a.tokens, a.currency, a.rent, a.price, a.kwh_price, a.resale, a.hours_per_week, a.power_share, a.host_power
    )


def cost(answer: Answer, catalog: Catalog, wish: Wishes) -> Cost | None:
    """What a job of ``wish.tokens`` costs; None without tokens, a card or a speed."""
    card, speed = answer.question.card, answer.speed
    if wish.tokens is None or card is None or speed is None:
        return None
    rent = _own("rental", wish.rent, wish.currency) or pricing.rent(card, catalog.today, wish.currency)
    purchase = _own("own", wish.price, wish.currency) or pricing.purchase(card, catalog.today, wish.currency)
    per_gpu = answer.question.gpus if speed.per_gpu else 1
    assumed = []
    if wish.kwh_price is None:
        assumed.append("electricity costs nothing (no price given)")
    if wish.power_share == 1.0:
        assumed.append("full board power")
    if wish.host_power_w == 0:
        assumed.append("no power for the rest of the machine")
    if wish.resale == 0:
        assumed.append("no resale")

    def at(tokens_per_s: float) -> dict[str, Any]:
        return lowered.cost(inputs(answer.question, tokens_per_s * per_gpu, wish, rent, purchase))

    middle, slow, fast = (at(s) for s in (speed.tokens_per_s.value, speed.tokens_per_s.low, speed.tokens_per_s.high))
    both = rent is not None and purchase is not None
    power = card.gpu.power.tdp_w is not None
    return Cost(
        tokens=wish.tokens,
        currency=wish.currency,
        hours=_interval(middle, fast, slow, "hours"),
        energy_kwh=_interval(middle, fast, slow, "energy_kwh"),
        rent=rent,
        purchase=purchase,
        rent_cost=float(middle["rent_cost"]) if rent else None,
        electricity_cost=float(middle["electricity_cost"]) if power and wish.kwh_price is not None else None,
        ownership_cost=float(middle["ownership_cost"]) if purchase else None,
        break_even_hours=_finite(middle["break_even_hours"]) if both else None,
        break_even_months=_finite(middle["break_even_months"]) if both else None,
        assumed=tuple(assumed),
    )


def inputs(
    question: Question, total_tokens_per_s: float, wish: Wishes, rent: Offer | None, purchase: Offer | None
) -> dict[str, float]:
    """Every input of the program ``cost``; 0 for a price that nobody knows. The question has a card."""
    assert question.card is not None
    return {
        "job_tokens": wish.tokens or 0.0, "total_tokens_per_s": total_tokens_per_s, "gpus": question.gpus,
        "board_power_w": question.card.gpu.power.tdp_w or 0.0, "power_share": wish.power_share,
        "host_power_w": wish.host_power_w, "price_per_kwh": wish.kwh_price or 0.0,
        "rent_per_gpu_hour": rent.price if rent else 0.0, "card_price": purchase.price if purchase else 0.0,
        "resale_share": wish.resale, "hours_per_week": wish.hours_per_week,
    }  # fmt: skip


def _own(kind: str, price: float | None, currency: str) -> Offer | None:
    return None if price is None else Offer(kind, currency, price, None, False, ())


def _interval(middle: Mapping[str, Any], low: Mapping[str, Any], high: Mapping[str, Any], name: str) -> Interval:
    return Interval(float(middle[name]), float(low[name]), float(high[name]))


def _finite(value: Any) -> float | None:
    return float(value) if math.isfinite(float(value)) else None


def lines(money: Cost) -> list[str]:
    """The cost as a terminal shows it."""
    c = money.currency
    out = [f"Job      {number(money.hours.value)} h, band {number(money.hours.low)} to {number(money.hours.high)}; "
           f"{number(money.energy_kwh.value)} kWh"]  # fmt: skip
    if money.rent is not None and money.rent_cost is not None:
        when = f", price of {money.rent.date}" if money.rent.date else ""
        out.append(f"         rent {number(money.rent_cost)} {c} ({number(money.rent.price)} {c} a GPU-hour{when})")
    else:
        out.append(f"         rent: no price in {c} known; give --rent")
    if money.purchase is not None and money.ownership_cost is not None:
        even = ("never pays off" if money.break_even_hours is None else
                f"pays off after {number(money.break_even_hours)} h, "
                f"{number(money.break_even_months)} months")  # fmt: skip
        when = f", price of {money.purchase.date}" if money.purchase.date else ""
        out.append(f"         buy {number(money.ownership_cost)} {c} ({money.purchase.kind}{when})"
                   + (f": {even}" if money.rent is not None else ""))  # fmt: skip
    else:
        out.append(f"         buy: no price in {c} known; give --price")
    if money.electricity_cost is not None:
        out.append(f"         electricity {number(money.electricity_cost)} {c}")
    return out


def as_data(money: Cost) -> dict[str, Any]:
    """The cost as JSON data."""
    data = dict(vars(money))
    for name in ("hours", "energy_kwh", "rent", "purchase"):
        data[name] = None if data[name] is None else vars(data[name])
    return data
