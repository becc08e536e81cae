"""`mkdocs serve` as a contributor uses it: edits show, a broken file is named and then recovers."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

COPIED = ("data", "docs", "generator", "mkdocs.yml")
PATIENCE = 240


class Server:
    """A running `mkdocs serve` in a copy of the repository."""

    def __init__(self, root: Path) -> None:
        self.root = root
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        self.log = root / "serve.log"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mkdocs", "serve", "--dev-addr", self.address],
            cwd=root, stdout=self.log.open("w"), stderr=subprocess.STDOUT,
            env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"},
        )  # fmt: skip

    def page(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://{self.address}/{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except (urllib.error.URLError, OSError):
            return ""

    def until(self, path: str, text: str) -> None:
        """Wait until the page carries the text."""
        self._wait(lambda: text in self.page(path), f"{path} never said {text!r}")

    def until_log(self, text: str) -> None:
        """Wait until the server printed the text."""
        self._wait(lambda: text in self.log.read_text(encoding="utf-8"), f"the log never said {text!r}")

    def _wait(self, done, complaint: str) -> None:
        end = time.monotonic() + PATIENCE
        while not done():
            assert self.process.poll() is None, f"the server ended:\n{self.log.read_text(encoding='utf-8')[-3000:]}"
            assert time.monotonic() < end, f"{complaint}\n{self.log.read_text(encoding='utf-8')[-3000:]}"
            time.sleep(0.5)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, tmp_path / name)
    # A few cards are enough to see reloading, and rebuild faster: those of the tests and of the worked examples.
    for path in (tmp_path / "data/gpus").glob("*.yaml"):
        if path.stem not in ("rtx-3090", "rtx-3060-12gb", "rtx-4090", "b200-sxm-180gb"):
            path.unlink()
    for name in ("rental.csv", "purchase.csv"):
        path = tmp_path / "data/prices" / name
        header, *rows = path.read_text(encoding="utf-8").splitlines()
        kept = [row for row in rows if row.startswith(("rtx-3090,", "rtx-3060-12gb,"))]
        path.write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
    running = Server(tmp_path)
    yield running
    running.process.terminate()
    running.process.wait(timeout=20)


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_edits_show_and_errors_recover(server: Server) -> None:
    root, page = server.root, "gpus/rtx-3090/"
    server.until(page, "GeForce RTX 3090")

    card = root / "data/gpus/rtx-3090.yaml"
    _replace(card, "chip: GA102", "chip: GA102-edited-data")
    server.until(page, "GA102-edited-data")

    _replace(root / "generator/templates/card.md.j2", "_('Where it stands')", "'Edited template'")
    server.until(page, "Edited template")

    _replace(root / "generator/views/variants.py", "found = [short, model,", 'found = ["edited-module", short, model,')
    server.until(page, "edited-module")

    _replace(card, "memory_gib: 24", "memory_gib: a lot")
    server.until_log("data/gpus/rtx-3090.yaml:")
    server.until_log("memory.memory_gib: wrong type (a lot); expected a number")
    assert "Traceback" not in server.log.read_text(encoding="utf-8")

    _replace(card, "memory_gib: a lot", "memory_gib: 24")
    _replace(card, "chip: GA102-edited-data", "chip: GA102-recovered")
    server.until(page, "GA102-recovered")
