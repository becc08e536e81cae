"""The command line as people call it: exit codes, lines, and nothing written by a check."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "generator", *arguments], cwd=cwd, capture_output=True, text=True, timeout=120
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of generator/ and data/ that a test may break."""
    for name in ("generator", "data"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_validate_is_green() -> None:
    result = run("validate")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("data/ is fine: ")


def test_validate_lists_everything_and_exits_1(checkout: Path) -> None:
    for slug, old, new in (
        ("rtx-3090", "bandwidth_gb_s: 936", "bandwidth_gb_s: 1936"),
        ("rtx-4090", "market: geforce", "market: GeForce"),
    ):
        path = checkout / f"data/gpus/{slug}.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    result = run("validate", cwd=checkout)
    lines = result.stderr.splitlines()
    assert result.returncode == 1
    assert result.stdout == ""
    assert any(line.startswith("data/gpus/rtx-3090.yaml:") and "memory.bandwidth_gb_s" in line for line in lines)
    assert any(line.startswith("data/gpus/rtx-4090.yaml:3: market: unknown value (GeForce)") for line in lines)
    assert lines[-1].endswith(" files") and " problems in " in lines[-1]
    assert "Traceback" not in result.stderr


def test_validate_some_paths_only(checkout: Path) -> None:
    for slug in ("rtx-3090", "rtx-4090"):
        path = checkout / f"data/gpus/{slug}.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace("memory_gib: 24", "memory_gib: -1"), encoding="utf-8")
    result = run("validate", "data/gpus/rtx-3090.yaml", cwd=checkout)
    assert result.returncode == 1
    assert "rtx-3090" in result.stderr
    assert "rtx-4090" not in result.stderr
    assert run("validate", "data/gpus/rtx-3060-12gb.yaml", cwd=checkout).returncode == 0
    assert run("validate", "data/gpus", cwd=checkout).stderr.count("out of range") == 2


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("data/gpus/nothing.yaml", "data/gpus/nothing.yaml: does not exist; expected a file or folder under data/"),
        ("README.md", "README.md: is not checked here; expected a path under data/"),
        ("/etc/hostname", "/etc/hostname: is not in this repository; expected a path under data/"),
    ],
)
def test_validate_a_wrong_path(path: str, says: str) -> None:
    result = run("validate", path)
    assert result.returncode == 1
    assert result.stderr.splitlines() == [says, "1 problem in 1 file"]


def test_a_folder_in_place_of_a_file(checkout: Path) -> None:
    (checkout / "data/sources.yaml").unlink()
    (checkout / "data/sources.yaml").mkdir()
    result = run("validate", cwd=checkout)
    assert result.returncode == 1
    assert result.stderr.splitlines()[0] == "data/sources.yaml: is a folder; expected a YAML file"


def test_a_wrong_call_exits_2() -> None:
    for arguments in (["validat"], [], ["schema", "--chek"]):
        result = run(*arguments)
        assert result.returncode == 2
        assert result.stderr.startswith("usage: ")


def test_generated_documents_are_current() -> None:
    """When this fails: `make fix`."""
    result = run("schema", "--check")
    assert (result.returncode, result.stderr) == (0, "")


def test_interface_strings_are_complete() -> None:
    """When this fails: `python -m generator messages`, then translate what it lists."""
    result = run("messages", "--check")
    assert (result.returncode, result.stderr) == (0, "")


def test_a_stale_schema_is_named(checkout: Path) -> None:
    (checkout / "data/schema/gpu.schema.json").write_text("{}\n")
    result = run("schema", "--check", cwd=checkout)
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        "data/schema/gpu.schema.json: is out of date; expected the output of `python -m generator schema`"
    ]
    assert run("schema", cwd=checkout).stdout == "1 files brought up to date\n"
    assert run("schema", "--check", cwd=checkout).returncode == 0


def test_a_string_without_translation_is_named(checkout: Path) -> None:
    po = checkout / "generator/locale/zh/LC_MESSAGES/guide.po"
    text = po.read_text(encoding="utf-8")
    assert 'msgid "Bandwidth"\nmsgstr "显存带宽"' in text
    po.write_text(
        text.replace('msgid "Bandwidth"\nmsgstr "显存带宽"', 'msgid "Bandwidth"\nmsgstr ""'), encoding="utf-8"
    )
    result = run("messages", "--check", cwd=checkout)
    assert result.returncode == 1
    assert "no translation (Bandwidth)" in result.stderr


def test_export_pages(tmp_path: Path) -> None:
    result = run("export-pages", str(tmp_path / "out"))
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out/gpus/rtx-3090.md").is_file()
    assert (tmp_path / "out/zh/gpus/rtx-3090.md").is_file()
    (tmp_path / "file").write_text("")
    result = run("export-pages", str(tmp_path / "file"))
    assert result.returncode == 2
    assert "cannot be written" in result.stderr
