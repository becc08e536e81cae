"""How long estimates take: ``make bench-estimate``.

All cards × all models × six methods × eight lengths in NumPy on one core, one re-ranking of all cards in Chromium and
in Node.js, and what the browser's module weighs. Prints Markdown tables for benchmarks/README.md and writes nothing.
"""

from __future__ import annotations

import functools
import gzip
import http.server
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MODULES = ("estimate.js", "question.js", "tables.js", "formulas.js")
SOURCE = ROOT / "docs" / "assets" / "js" / "estimate"
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
LENGTHS = (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536)
ANSWER = 256
TRAINING: tuple[dict[str, Any], ...] = ({"method": "full"}, {"method": "lora"}, {"method": "qlora"})
INFERENCE: tuple[dict[str, Any], ...] = ({"weights": "bf16"}, {"weights": "fp8"}, {"weights": "awq-int4"})
RUNS = 200
# Every run asks something else, as a reader who types does.
MEASURE = """
(estimator, data, kind, given, model, runs) => {
  const started = performance.now()
  const { models, cards } = estimator.unpack(data)
  const unpacked = performance.now() - started
  const times = []
  for (let i = 0; i < runs; i++) {
    const length = 1000 + 10 * i
    const before = performance.now()
    const question = estimator.ask(kind, { ...given, [kind === "training" ? "sequence" : "prompt"]: length })
    const ranked = estimator.rank(question, models.get(model), [...cards.values()])
    times.push(performance.now() - before)
    if (ranked.length !== cards.size || !ranked.some(({ speed }) => speed)) throw new Error("no ranking")
  }
  const [first] = times
  times.sort((a, b) => a - b)
  return { cards: cards.size, unpacked, first, median: times[runs / 2], most: times[Math.floor(0.95 * runs)] }
}
"""
QUESTIONS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("training", {"method": "qlora"}, "qwen2.5-7b"),
    ("inference", {"weights": "awq-int4", "engine": "vllm", "batch": 8}, "qwen2.5-7b"),
)


def in_numpy() -> dict[str, float]:
    """Seconds and counts of this process: run by a child on one core, see :func:`child`."""
    sys.path.insert(0, str(ROOT))
    from generator import catalog, grid
    from generator.question import Inference, Training, ask

    data = catalog.load(ROOT)
    models = [model for model in data.models.values() if model.shape is not None]
    cards = list(data.cards.values())
    started = time.perf_counter()
    verdicts = sum(grid.training(models, LENGTHS, cards, **given).verdicts.size for given in TRAINING)
    verdicts += sum(grid.inference(models, LENGTHS, cards, answer=ANSWER, **given).verdicts.size for given in INFERENCE)
    memory = time.perf_counter()
    speeds = 0
    for given in TRAINING:
        questions = [ask(Training, {**given, "sequence": n}, model=m) for m in models for n in LENGTHS]
        speeds += grid.speeds(questions, cards).value.size
    for given in INFERENCE:
        asked = [{**given, "prompt": n - ANSWER, "generated": ANSWER} for n in LENGTHS]
        speeds += grid.speeds([ask(Inference, a, model=m) for m in models for a in asked], cards).value.size
    done = time.perf_counter()
    return {"models": len(models), "cards": len(cards), "verdicts": verdicts, "memory_s": memory - started,
            "speeds": speeds, "speed_s": done - memory}  # fmt: skip


def child() -> dict[str, float]:
    """The same in a fresh process that may use one core only, with nothing computed before."""
    one_core = sorted(os.sched_getaffinity(0))[:1] if hasattr(os, "sched_getaffinity") else None
    out = subprocess.run(
        [sys.executable, __file__, "--numpy"], capture_output=True, text=True, check=True,
        preexec_fn=(lambda: os.sched_setaffinity(0, one_core)) if one_core else None,
    )  # fmt: skip
    return dict(json.loads(out.stdout))


def in_node(folder: Path) -> list[dict[str, float]]:
    """The figures of MEASURE for each of QUESTIONS, each in a fresh process."""
    node = shutil.which("node")
    if node is None:
        sys.exit("Node.js is needed")
    found = []
    for question in QUESTIONS:
        code = f"""
          import * as estimator from {json.dumps((folder / "estimate.js").as_uri())}
          import {{ readFileSync }} from "node:fs"
          const data = JSON.parse(readFileSync({json.dumps(str(folder / "estimate.json"))}, "utf8"))
          const measure = {MEASURE.strip()}
          console.log(JSON.stringify(measure(estimator, data, ...{json.dumps([*question, RUNS])})))
        """
        run = subprocess.run([node, "--input-type=module", "-e", code], capture_output=True, text=True, check=True)
        found.append(json.loads(run.stdout))
    return found


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def in_chromium(folder: Path, slower: int) -> list[dict[str, float]]:
    """The same in Chromium without a window, each question on a fresh page, the CPU ``slower`` times slower."""
    from playwright.sync_api import sync_playwright

    executable = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    (folder / "index.html").write_text("<!doctype html><title>benchmark</title>", encoding="utf-8")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        for question in QUESTIONS:
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{server.server_port}/index.html")
            page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
            code = f"""async (given) => {{
              const estimator = await import("/estimate.js")
              const data = await (await fetch("/estimate.json")).json()
              return ({MEASURE.strip()})(estimator, data, ...given)
            }}"""
            found.append(page.evaluate(code, [*question, RUNS]))
            page.close()
        browser.close()
    server.shutdown()
    return found


def main() -> None:
    """Print the tables."""
    if sys.argv[1:] == ["--numpy"]:
        print(json.dumps(in_numpy()))
        return
    sys.path.insert(0, str(ROOT))
    from generator import browser, catalog

    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    table = child()
    count = f"{table['cards']:.0f} cards × {table['models']:.0f} models × {len(TRAINING) + len(INFERENCE)} methods"
    print(f"{count} × {len(LENGTHS)} lengths in NumPy on one core, inputs included:\n")
    print("| answer | estimates | s | million/s |\n|---|---:|---:|---:|")
    for name, estimates, seconds in (
        ("memory and verdict", table["verdicts"], table["memory_s"]), ("speed", table["speeds"], table["speed_s"]),
    ):  # fmt: skip
        print(f"| {name} | {estimates:,.0f} | {seconds:.2f} | {estimates / seconds / 1e6:.1f} |")

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in MODULES:
            shutil.copy2(SOURCE / name, folder / name)
        (folder / "estimate.json").write_text(browser.data(catalog.load(ROOT)), encoding="utf-8")
        print(f"\nOne ranking of all cards (memory, verdict, speed), {RUNS} runs:\n")
        print("| where | question | median ms | 95 % ms | first ms | unpacking the data ms |")
        print("|---|---|---:|---:|---:|---:|")
        for where, results in (
            ("Node.js", in_node(folder)), ("Chromium", in_chromium(folder, 1)),
            ("Chromium, CPU 4× slower", in_chromium(folder, 4)),
        ):  # fmt: skip
            for (kind, _, _), r in zip(QUESTIONS, results, strict=True):
                times = " | ".join(f"{r[name]:.1f}" for name in ("median", "most", "first", "unpacked"))
                print(f"| {where} | {kind} | {times} |", flush=True)
        print("\n| file | bytes | gzipped |\n|---|---:|---:|")
        sizes = {name: (folder / name).read_bytes() for name in (*MODULES, "estimate.json")}
        packed = {name: len(gzip.compress(content, 9)) for name, content in sizes.items()}
        for name, content in sizes.items():
            print(f"| {name} | {len(content):,} | {packed[name]:,} |")
        total = sum(packed[name] for name in MODULES)
        print(f"| **module** (all but the data) | {sum(len(sizes[n]) for n in MODULES):,} | **{total:,}** |")


if __name__ == "__main__":
    main()
