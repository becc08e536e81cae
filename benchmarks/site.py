"""Time and memory of the site's build, split into load, render and MkDocs: ``make bench-site``.

Runs each build in its own process, today's catalog and one grown tenfold with synthetic cards,
and prints a Markdown table for benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("data", "docs", "generator", "mkdocs.yml")


def grow(root: Path, factor: int) -> int:
    """Write ``factor - 1`` synthetic copies of every card below ``root``; returns the card count.

    A copy keeps its model's numbers but for a slightly different clock, so that each is a card of
    its own; slug and name say that it is synthetic. Copies never leave the temporary folder.
    """
    cards = sorted((root / "data" / "gpus").glob("*.yaml"))
    for number, path in enumerate(cards):
        text = path.read_text(encoding="utf-8")
        for i in range(1, factor):
            slug = f"{path.stem}-synthetic-{i}"
            copy = re.sub(r"^slug: .*$", f"slug: {slug}", text, count=1, flags=re.M)
            copy = re.sub(r"^name: \"?(.*?)\"?$", rf'name: "\1 synthetic {i}"', copy, count=1, flags=re.M)
            # A synthetic cache: it enters no rule and makes the hardware unique.
            copy = re.sub(
                r"^  l2_cache_mib: .*$", f"  l2_cache_mib: {i + number / 1000 + 0.0005:.4f}", copy, count=1, flags=re.M
            )
            # A copy is told apart by its cache, so it needs no excuse for equal hardware.
            copy = re.sub(r"\n  unique_hardware:\n    en: .*\n    zh: .*(?=\n)", "", copy)
            copy = copy.replace("\nexceptions:\n\n", "\n")
            (path.parent / f"{slug}.yaml").write_text(copy, encoding="utf-8")
    return len(cards) * factor


def measure(root: Path) -> dict[str, float]:
    """Seconds of load and render in this process: run by a child, see :func:`child`."""
    sys.path.insert(0, str(root))
    started = time.perf_counter()
    from generator import catalog, render

    imported = time.perf_counter()
    data = catalog.load(root)
    loaded = time.perf_counter()
    day = render.as_of(root)
    pages = sum(1 for lang in ("en", "zh") for _ in render.Site(data, lang, day).pages())
    done = time.perf_counter()
    return {"import": imported - started, "load": loaded - imported, "render": done - loaded, "pages": pages}


def child(root: Path) -> dict[str, float]:
    """Load and render measured in a fresh process, with its peak memory in MB."""
    out = subprocess.run([sys.executable, __file__, "--measure", str(root)], capture_output=True, text=True, check=True)
    return dict(json.loads(out.stdout))


def build(root: Path) -> tuple[float, float]:
    """Wall seconds and peak memory in MB of one strict MkDocs build below ``root``."""
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(root / "site")]
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output, _ = process.communicate()
    seconds = time.perf_counter() - started
    if process.returncode:
        sys.exit(output.decode())
    # The largest child so far: builds run from small to large, so it is the one just ended.
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--factor", type=int, default=10, help="how far the catalog is grown")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        result = measure(arguments.measure)
        result["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(result))
        return
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print("| cards | pages | load s | render s | whole build s | generator's share | peak memory MB |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for factor in (1, arguments.factor):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "guide"
            root.mkdir()
            for name in COPIED:
                source = ROOT / name
                (shutil.copytree if source.is_dir() else shutil.copy2)(source, root / name)
            cards = grow(root, factor)
            parts = child(root)
            whole, peak = build(root)
            own = parts["load"] + parts["render"]
            print(
                f"| {cards:,} | {parts['pages']:,} | {parts['load']:.1f} | {parts['render']:.1f} "
                f"| {whole:.1f} | {own / whole:.0%} | {peak:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
