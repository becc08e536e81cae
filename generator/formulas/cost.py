"""What a job costs: time, energy, rent, purchase, and where they meet. Arithmetic of prices, nothing fitted."""

from __future__ import annotations

import sympy

from generator.formulas.algebra import Program, when
from generator.i18n import N_

COST = Program("cost", N_("Time, energy and money"))

_tokens = COST.given("job_tokens", "D", "tokens", N_("tokens of the whole job"))
_speed = COST.given("total_tokens_per_s", "v", "tokens/s", N_("speed of all GPUs together"))
_gpus = COST.given("gpus", "n", "", N_("number of GPUs"))
_watts = COST.given("board_power_w", "P_GPU", "W", N_("board power of one GPU"))
_load = COST.given("power_share", "u", "", N_("share of the board power that the job draws"))
_host = COST.given("host_power_w", "P_host", "W", N_("power of the rest of the machine"))
_kwh_price = COST.given("price_per_kwh", "c_kWh", N_("money/kWh"), N_("price of electricity"))
_rent = COST.given("rent_per_gpu_hour", "c_rent", N_("money/h"), N_("rent of one GPU for one hour"))
_price = COST.given("card_price", "c_card", N_("money"), N_("price of one card"))
_resale = COST.given("resale_share", "r", "", N_("share of the price that a resale brings back"))
_weekly = COST.given("hours_per_week", "t_week", "h", N_("hours of use in a week"))

COST.part("job", N_("Time and energy"), N_("How long the job takes and what it draws."))

hours = COST.let(
    "hours", "t", "h", N_("duration of the job"), _tokens / (_speed * 3600), term=True,
)  # fmt: skip
gpu_hours = COST.let("gpu_hours", "t_GPU", "h", N_("GPU-hours of the job"), hours * _gpus, term=True)
_drawn = COST.let(
    "drawn_w", "P", "W", N_("power drawn by the machine"), _gpus * _watts * _load + _host,
)  # fmt: skip
energy = COST.let("energy_kwh", "E", "kWh", N_("energy of the job"), _drawn * hours / 1000, term=True)
COST.part("money", N_("Money"), N_("The bill, rented and on own cards."))

electricity = COST.let(
    "electricity_cost", "C_el", N_("money"), N_("electricity for the job"), energy * _kwh_price, term=True
)
rent = COST.let("rent_cost", "C_rent", N_("money"), N_("rent for the job"), gpu_hours * _rent, term=True)
_hold = COST.let(
    "ownership_cost", "C_own", N_("money"), N_("price of the cards less their resale"),
    _gpus * _price * (1 - _resale), term=True,
)  # fmt: skip
COST.part("even", N_("Break-even"), N_("From how much use on buying is cheaper than renting."))

_saved = COST.let(
    "saved_per_hour", "s", N_("money/h"), N_("what an hour on own cards saves"),
    _gpus * _rent - _drawn / 1000 * _kwh_price,
)  # fmt: skip
break_even = COST.let(
    "break_even_hours", "t_even", "h", N_("hours of use after which buying is cheaper"),
    when(_saved > 0, _hold / _saved, sympy.oo),
    holds=N_("Infinite where renting costs less than the electricity alone."), term=True,
)  # fmt: skip
COST.let(
    "break_even_months", "m_even", N_("months"), N_("months until buying is cheaper"),
    break_even / (_weekly * sympy.Rational(365, 84)), term=True,
    holds=N_("A month is 365 / 84 weeks."),
)  # fmt: skip
