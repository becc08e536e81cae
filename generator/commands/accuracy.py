"""``python -m generator accuracy``: how far the estimates are from published measurements."""

from __future__ import annotations

import argparse
import sys

from generator import accuracy, catalog
from generator.calibration import ROOT
from generator.scoring import QUANTITIES, Score

OK, WORSE, WRONG_CALL = 0, 1, 2


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of ``python -m generator``."""
    parser = commands.add_parser("accuracy", help="compare all estimates with published measurements")
    parser.add_argument("--quantity", choices=QUANTITIES, action="append", help="only this (repeatable)")
    parser.add_argument("--worst", type=int, default=0, metavar="N", help="also list the N largest errors")
    parser.add_argument("--check", action="store_true", help="fail when a committed figure got worse")
    parser.add_argument("--write", action="store_true", help=f"write {accuracy.PATH}")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """The command; returns the exit code."""
    known = catalog.load(ROOT)
    chosen = arguments.quantity or list(QUANTITIES)
    found = [accuracy.measure(quantity, known, ROOT) for quantity in chosen]
    if arguments.write and arguments.quantity:
        print("accuracy: --write: writes all quantities; expected no --quantity", file=sys.stderr)
        return WRONG_CALL
    for one in found:
        _print(one, arguments.worst)
    if arguments.write:
        texts = {accuracy.PATH: accuracy.text(accuracy.figures(found)),
                 accuracy.POINTS_PATH: accuracy.points_text(accuracy.points(found))}  # fmt: skip
        for path, text in texts.items():
            (ROOT / path).write_text(text, encoding="utf-8")
            print(f"{path} written")
    if arguments.check:
        before = accuracy.committed(ROOT)
        wanted = {k: v for k, v in before.items() if k in chosen or (k == "fits" and "memory" in chosen)}
        for line in accuracy.worse(accuracy.figures(found), wanted):
            print(f"accuracy: {line}", file=sys.stderr)
        return WORSE if accuracy.worse(accuracy.figures(found), wanted) else OK
    return OK


_HEAD = ("rows", "answered", "median", "p90", "bias", "under", "in band")


def _print(found: accuracy.Accuracy, worst: int) -> None:
    print(f"\n{found.quantity}: error in %, trust A and B, constants fitted without the family")
    groups = [*((f, found.score(f)) for f in found.families())]
    if found.quantity == "memory":
        groups += [(f"meter: {m}", found.score(None, meter=m)) for m in ("allocated", "reserved", "device")]
    groups.append((accuracy.ALL, found.score()))
    width = max(len(name) for name, _ in groups)
    print(" " * width + "".join(f"{head:>10}" for head in _HEAD))
    for name, score in groups:
        print(f"{name:<{width}}" + "".join(f"{cell:>10}" for cell in _cells(score)))
    confusion = found.confusion()
    if confusion is not None:
        print("\nfits or not: what happened against the verdict")
        words = ("fits", "tight", "no", "none")
        print(" " * 10 + "".join(f"{word:>8}" for word in words))
        for truth, counts in confusion.counts.items():
            print(f"{truth:<10}" + "".join(f"{counts[word]:>8}" for word in words))
        print(f"right {_percent(confusion.right)} %, failures promised to fit {_percent(confusion.false_fit)} %")
    for row in found.worst(worst):
        print(f"  {row['id']} {row['model']}: {row['predicted']} {row['unit']}")


def _cells(score: Score) -> list[str]:
    share = score.answered / score.rows if score.rows else None
    return [str(score.rows), *(_percent(v) for v in (share, score.median, score.p90)),
            "-" if score.bias is None else f"{100 * score.bias:+.1f}",
            _percent(score.under), _percent(score.covered)]  # fmt: skip


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"
