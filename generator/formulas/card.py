"""What a card has for programs: shared by every program that asks whether something fits."""

from __future__ import annotations

import sympy

from generator.formulas.algebra import Program, when
from generator.i18n import N_

MIB, GIB = 2**20, 2**30
_BYTES = N_("bytes")
# 35 pairs of a card's size and the "total capacity" in PyTorch's out-of-memory messages, 8 to 80 GiB: a line by least
# squares, the largest residual 0.20 GiB.
_SHARE, _LOSS = sympy.Float("0.9917"), sympy.Float("0.162") * GIB
# 15 of those messages also print the process's memory; less what the allocator reserved it is 2.9 to 4.5 MiB for each
# multiprocessor (10 and 90 %), 3.7 in the middle.
_PER_SM = sympy.Float("3.7") * MIB
_SOURCES = ("PYTORCH_OOM_MESSAGES",)


def card_memory(program: Program) -> tuple[sympy.Symbol, sympy.Symbol, sympy.Symbol]:
    """Add what follows from :func:`generator.numbers.of_card`; returns card, usable and context bytes."""
    size = program.given("card_bytes", "B_card", _BYTES, N_("memory of the card"))
    ecc = program.given("inline_ecc", "x_ecc", "", N_("1 if the card keeps error correction bits in its memory"))
    sms = program.given("sms", "n_SM", "", N_("streaming multiprocessors of the card; 0 = not published"))
    usable = program.let(
        "usable_bytes", "B_use", _BYTES, N_("memory that the driver gives to programs"),
        size * when(ecc > 0, sympy.Rational(15, 16), 1) * _SHARE - _LOSS, _SOURCES,
        N_("Linux; a line through what PyTorch printed for cards of 8 to 80 GB, right within 0.2 GiB."),
    )  # fmt: skip
    context = program.let(
        "context_bytes", "B_ctx", _BYTES, N_("CUDA context and loaded kernels"), when(sms > 0, sms, 100) * _PER_SM,
        _SOURCES, N_("2.9 to 4.5 MiB for each multiprocessor were seen; 100 where their number is not published."),
    )  # fmt: skip
    return size, usable, context
