"""``python -m generator estimate``: one question, or every row of a file of cases."""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from pathlib import Path
from typing import Any

from generator import catalog, costs, estimate
from generator.calibration import ROOT
from generator.cases import answers as case_answers
from generator.commands import options
from generator.i18n import number
from generator.question import QuestionError, Training
from generator.scoring import QUANTITIES

OK, WRONG_CALL = 0, 2
BAR = 24


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of ``python -m generator``."""
    parser = commands.add_parser("estimate", help="will it fit, how fast, what does it cost")
    parser.add_argument("--model", help="a model by slug, name or Hugging Face id, or the path of a config.json")
    parser.add_argument("--method", choices=options.METHODS, help="full, lora, qlora, or run (inference)")
    parser.add_argument("--gpu", help='a card by slug or name, also "2x RTX 3090"')
    options.add(parser)
    costs.add_options(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--cases", type=Path, metavar="IN.csv", help="estimate every row of this file instead")
    parser.add_argument("--quantity", choices=QUANTITIES, help="with --cases: what to predict")
    parser.add_argument("--out", type=Path, metavar="OUT.csv", help="with --cases: where to write")
    parser.add_argument("--exclude-family", metavar="NAME", help="use constants fitted without this source family")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    try:
        return _cases(arguments) if arguments.cases is not None else _single(arguments)
    except QuestionError as error:
        for line in str(error).splitlines():
            print(f"estimate: {line}", file=sys.stderr)
        return WRONG_CALL


def _single(arguments: argparse.Namespace) -> int:
    missing = [name for name in ("model", "method") if getattr(arguments, name) is None]
    if missing:
        raise QuestionError("\n".join(f"--{name}: is missing; expected with every question" for name in missing))
    known = catalog.load(ROOT)
    question = options.question(arguments, known, arguments.model, arguments.method, arguments.gpu)
    answer = estimate.answer(question, known, arguments.exclude_family)
    money = costs.cost(answer, known, costs.wishes(arguments))
    near = case_answers.nearest(question, known)
    if arguments.json:
        print(json.dumps(as_data(answer, money, near), indent=2, ensure_ascii=False))
    else:
        print(as_text(answer, money, near))
    return OK


def _cases(arguments: argparse.Namespace) -> int:
    if arguments.quantity is None or arguments.out is None:
        raise QuestionError("--cases: needs --quantity and --out")
    if arguments.model or arguments.method or arguments.gpu:
        raise QuestionError("--cases: takes the questions from the file; expected no --model, --method or --gpu")
    known = catalog.load(ROOT)
    try:
        rows, columns = _read(arguments.cases)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise QuestionError(f"{arguments.cases}: cannot be read ({_reason(error)}); expected a CSV file") from error
    if "model" not in columns:
        raise QuestionError(f"{arguments.cases}: has no column 'model'; expected the columns of published cases")
    added = [case_answers.predict(row, arguments.quantity, known, arguments.exclude_family) for row in rows]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, [*[c for c in columns if c not in case_answers.COLUMNS], *case_answers.COLUMNS],
                            extrasaction="ignore", lineterminator="\n")  # fmt: skip
    writer.writeheader()
    writer.writerows({**row, **more} for row, more in zip(rows, added, strict=True))
    try:
        arguments.out.write_text(out.getvalue(), encoding="utf-8", newline="")
    except OSError as error:
        raise QuestionError(f"{arguments.out}: cannot be written ({_reason(error)}); expected a file") from error
    predicted = sum(bool(a["predicted"]) for a in added)
    print(f"{predicted} of {len(rows)} rows predicted, written to {arguments.out}")
    return OK


def _read(path: Path) -> tuple[list[dict[str, str]], list[str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        rows = [{k: v or "" for k, v in row.items() if k is not None} for row in reader]
        return rows, list(reader.fieldnames or [])


def _reason(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


def _gib(value: float) -> str:
    return f"{value:,.2f} GiB"


def as_text(answer: estimate.Answer, money: costs.Cost | None, near: case_answers.Nearest | None) -> str:
    """The answer as a terminal shows it."""
    q = answer.question
    card = f" · {q.gpus} × {q.card.gpu.name}" if q.card and q.gpus > 1 else f" · {q.card.gpu.name}" if q.card else ""
    work = q.work
    if isinstance(work, Training):
        title = f"{q.model.name} · {work.method} · {work.micro_batch} × {work.sequence:,} tokens{card}"
    else:
        lengths = f"{work.batch} × ({work.prompt:,} + {work.generated:,}) tokens"
        title = f"{q.model.name} · run with {work.engine} · {lengths}{card}"
    lines = [title, ""]
    if answer.memory is not None:
        lines += _memory_lines(answer.memory, q.gpus)
    if answer.speed is not None:
        lines += ["", *_speed_lines(answer.speed, q.gpus)]
    if money is not None:
        lines += ["", *costs.lines(money)]
    for gate in answer.gates:
        lines.append(f"! {gate.text}")
    if answer.changes:
        lines += ["", "What would help most:"]
        for c in answer.changes[:4]:
            then = f" ({VERDICTS[c.verdict]})" if c.verdict else ""
            lines.append(f"  {c.option}: {c.before} → {c.after}: {c.gib:+.1f} GiB{then}")
    if near is not None:
        lines += ["", f"Nearest measured run: {near.text}"]
    if q.assumed:
        lines += ["", "Assumed: " + "; ".join(q.assumed)]
    lines += [f"Not estimated: {reason}" for reason in answer.reasons]
    return "\n".join(lines)


VERDICTS = {"fits": "fits", "tight": "tight", "no": "does not fit", None: ""}


def _memory_lines(memory: estimate.Memory, gpus: int) -> list[str]:
    each = " on each GPU" if gpus > 1 else ""
    lines = [
        f"Memory   {_gib(memory.gib.value)} {memory.meter}{each}, band {memory.gib.low:,.2f} to {memory.gib.high:,.2f}"
    ]
    if memory.usable_gib is not None and memory.verdict is not None:
        chance = ""
        if memory.chance:
            finished, all_runs = memory.chance
            # For "does not fit" the figure that backs it is how many failed.
            what = f"{all_runs - finished} of {all_runs} measured runs with this verdict failed"
            if memory.verdict != "no":
                what = f"{finished} of {all_runs} measured runs with this verdict finished"
            chance = f" ({what})"
        lines.append(f"         needs {_gib(memory.need_gib)} of {_gib(memory.usable_gib)} usable: "
                     f"{VERDICTS[memory.verdict]}{chance}")  # fmt: skip
    if memory.moment:
        lines.append(f"         highest {memory.moment}")
    most = max(t.value for t in memory.terms)
    for term in memory.terms:
        bar = "█" * max(1, round(BAR * term.value / most)) if term.value > 0.005 else ""
        lines.append(f"  {term.meaning:<38}{term.value:>8.2f}  {bar}")
    return lines


def _speed_lines(speed: estimate.Speed, gpus: int) -> list[str]:
    rate = speed.tokens_per_s
    if speed.per_gpu:
        total = f", {number(rate.value * gpus, 3)} in all" if gpus > 1 else ""
        return [f"Speed    {number(rate.value, 3)} tokens/s{' per GPU' if gpus > 1 else ''}, "
                f"band {number(rate.low, 3)} to {number(rate.high, 3)}{total}"]  # fmt: skip
    names = {"prefill": "prompt", "decode": "answer", "output": "answer with its prompt's time"}
    return [f"Speed    {names[k]:<30}{number(v.value, 3):>8} tokens/s, band {number(v.low, 3)} to {number(v.high, 3)}"
            for k, v in speed.extra.items() if k in names]  # fmt: skip


def as_data(answer: estimate.Answer, money: costs.Cost | None, near: case_answers.Nearest | None) -> dict[str, Any]:
    """The answer as JSON data; sizes in GiB, speeds in tokens/s."""
    q, memory, speed = answer.question, answer.memory, answer.speed
    return {
        "model": q.model.slug,
        "gpu": q.card.gpu.slug if q.card else None,
        "gpus": q.gpus,
        "work": {"kind": "train" if isinstance(q.work, Training) else "run", **vars(q.work)},
        "memory": None if memory is None else {
            "unit": "GiB per GPU", "meter": memory.meter, **vars(memory.gib), "allocated": memory.allocated_gib,
            "need": memory.need_gib, "usable": memory.usable_gib, "verdict": memory.verdict,
            "runs_with_this_verdict": None if memory.chance is None else
            {"finished": memory.chance[0], "of": memory.chance[1]},
            "moment": memory.moment, "terms": {t.name: t.value for t in memory.terms},
        },
        "speed": None if speed is None else {
            "unit": "tokens/s per GPU" if speed.per_gpu else "tokens/s", **vars(speed.tokens_per_s),
            "rates": {k: vars(v) for k, v in speed.extra.items()}, "seconds": {t.name: t.value for t in speed.terms},
        },
        "cost": None if money is None else costs.as_data(money),
        "gates": [{"key": g.key, "text": g.text, "status": g.status, "blocks": g.blocks} for g in answer.gates],
        "changes": [vars(c) for c in answer.changes],
        "nearest": None if near is None else near.as_data(),
        "assumed": list(q.assumed),
        "not_estimated": list(answer.reasons),
    }  # fmt: skip
