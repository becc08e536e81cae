"""The worked examples of the pages that explain the formulas: questions as on the command line, and their answers.

An example is a line of arguments for ``python -m generator estimate``, so that a reader can repeat it and change it.
The three pages about training follow one job: what it needs, how long it takes, what it costs.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from generator import costs, estimate
from generator.cases import answers
from generator.catalog import Catalog
from generator.commands import estimate as command
from generator.commands import options
from generator.formulas import lowered
from generator.problems import DataError, Problem
from generator.question import Question, QuestionError

_TUNING = "--model qwen2.5-7b --method qlora --seq 2048 --gpu rtx-3060-12gb"
_CHAT = (
    "--model llama-3.1-8b --method run --engine llama.cpp --weights q4_k_m --prompt 4096 --generate 512 --gpu rtx-4090"
)
# Program -> arguments.
ARGUMENTS: Mapping[str, str] = {
    "training_memory": _TUNING,
    "inference_memory": _CHAT,
    # With the stock loss the job does not fit on the card.
    "train_speed": f"{_TUNING} --loss linear",
    "inference_speed": _CHAT,
    "cost": f"{_TUNING} --loss linear --tokens 20e6 --kwh-price 0.15 --resale 0.5 --hours-per-week 40",
}


@dataclass(frozen=True)
class Example:
    """One question with everything that its page shows; ``numbers`` are all inputs and results of the program."""

    program: str
    arguments: str
    question: Question
    numbers: Mapping[str, float]
    memory: estimate.Memory | None
    speed: estimate.Speed | None
    changes: tuple[estimate.Change, ...]
    nearest: answers.Nearest | None
    cost: costs.Cost | None

    @property
    def command(self) -> str:
        """What a reader types to get the same."""
        return f"python -m generator estimate {self.arguments}"


def examples(catalog: Catalog) -> dict[str, Example]:
    """The example of every program. Raises DataError where a calibration, or a card or model of one is missing."""
    return {program: _example(program, arguments, catalog) for program, arguments in ARGUMENTS.items()}


def _example(program: str, arguments: str, catalog: Catalog) -> Example:
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    parsed = parser.parse_args(["estimate", *shlex.split(arguments)])
    try:
        question = options.question(parsed, catalog, parsed.model, parsed.method, parsed.gpu)
    except QuestionError as error:
        what = str(error).replace("\n", "; ")
        raise DataError([Problem("generator/examples.py", 0, program, what, "models and cards of data/")]) from error
    answer = estimate.answer(question, catalog)
    money = costs.cost(answer, catalog, costs.wishes(parsed))
    of_memory = program.endswith("_memory")
    numbers: Mapping[str, float]
    if money is not None and answer.speed is not None:
        total = answer.speed.tokens_per_s.value * (question.gpus if answer.speed.per_gpu else 1)
        given = costs.inputs(question, total, costs.wishes(parsed), money.rent, money.purchase)
        numbers = {**given, **{name: float(value) for name, value in lowered.cost(given).items()}}
    else:
        part = answer.memory if of_memory else answer.speed
        assert part is not None, f"the example of {program} has no answer: {'; '.join(answer.reasons)}"
        numbers = part.numbers
    return Example(
        program, arguments, question, numbers, answer.memory, answer.speed, answer.changes if of_memory else (),
        answers.nearest(question, catalog) if of_memory else None, money,
    )  # fmt: skip
