"""The browser's modules in Node: the same files that the site serves."""

from __future__ import annotations

import shutil
import subprocess

from tests.conftest import ROOT


def test_modules_in_node() -> None:
    node = shutil.which("node")
    assert node, "no Node.js: install Debian's nodejs package"
    files = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "tests" / "js").rglob("*.test.*js"))
    assert files
    result = subprocess.run([node, "--test", *files], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-2000:]
