"""The command line: ``python -m generator COMMAND``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from generator import __version__, catalog, i18n, published
from generator.commands import accuracy as commands_accuracy
from generator.commands import estimate as commands_estimate
from generator.commands import recommend as commands_recommend
from generator.problems import Problem, near, report, show

ROOT = Path(__file__).resolve().parent.parent
OK, WRONG_DATA, WRONG_CALL = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 fine, 1 the data is wrong, 2 the call is wrong."""
    parser = argparse.ArgumentParser(prog="python -m generator", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    validate = commands.add_parser("validate", help="check everything under data/")
    validate.add_argument("paths", nargs="*", metavar="PATH", help="only report on these")
    validate.set_defaults(run=_validate)

    schema = commands.add_parser("schema", help="write JSON Schema and the annotated sample")
    schema.add_argument("--check", action="store_true", help="only say whether they are current")
    schema.set_defaults(run=_schema)

    formulas = commands.add_parser("formulas", help="lower the formulas to NumPy, JavaScript and MathML")
    formulas.add_argument("--check", action="store_true", help="only say whether they are current")
    formulas.set_defaults(run=_formulas)

    calibrate = commands.add_parser("calibrate", help="fit what the formulas leave open to the published measurements")
    calibrate.add_argument("names", nargs="*", metavar="NAME", help="only these, e.g. inference-memory")
    calibrate.add_argument("--check", action="store_true", help="only say whether they are current")
    calibrate.set_defaults(run=_calibrate)

    for command in (commands_estimate, commands_recommend, commands_accuracy):
        command.add(commands)

    messages = commands.add_parser("messages", help="bring the interface strings up to date")
    messages.add_argument("--check", action="store_true", help="only say whether they are complete")
    messages.set_defaults(run=_messages)

    export = commands.add_parser("export-pages", help="write all generated pages to a folder")
    export.add_argument("folder", type=Path)
    export.set_defaults(run=_export)

    arguments = parser.parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except catalog.DataError as error:
        print(error, file=sys.stderr)
        return WRONG_DATA
    except BrokenPipeError:
        return OK


def _validate(arguments: argparse.Namespace) -> int:
    wanted: list[str] = []
    unusable: list[Problem] = []
    for given in arguments.paths:
        path = Path(given)
        inside = path.resolve() if path.exists() or path.is_symlink() else (Path.cwd() / path)
        try:
            wanted.append(inside.relative_to(ROOT).as_posix())
        except ValueError:
            unusable.append(Problem(given, 0, "", "is not in this repository", "a path under data/"))
            continue
        if not path.exists():
            unusable.append(Problem(given, 0, "", "does not exist", "a file or folder under data/"))
        elif not (wanted[-1] + "/").startswith("data/"):
            unusable.append(Problem(given, 0, "", "is not checked here", "a path under data/"))
    loaded, problems = catalog.check(ROOT)
    # Without a bibliography every family would be reported: one missing file, one line.
    problems += published.check(ROOT, loaded.sources or None)[1]
    if wanted:
        problems = [p for p in problems if any(f"{p.path}/".startswith(f"{w}/") for w in wanted)]
    problems = sorted({*problems, *unusable})
    if problems:
        print(report(problems), file=sys.stderr)
        return WRONG_DATA
    checked = sum(1 for p in (ROOT / "data").rglob("*") if p.suffix in (".yaml", ".csv"))
    print(f"data/ is fine: {checked} files checked")
    return OK


def _schema(arguments: argparse.Namespace) -> int:
    import generator.schema.document as document

    return _generated(document.files(), "schema", arguments.check)


def _formulas(arguments: argparse.Namespace) -> int:
    try:
        from generator import browser
        from generator.formulas import library, lower
    except ImportError:
        print("formulas: SymPy is not installed; expected the test requirements (`make test` installs them)",
              file=sys.stderr)  # fmt: skip
        return WRONG_CALL
    files = [*lower.files(library.PROGRAMS), *browser.files(library.PROGRAMS)]
    return _generated(files, "formulas", arguments.check)


def _calibrate(arguments: argparse.Namespace) -> int:
    from generator import browser, calibration, calibrators

    unknown = [name for name in arguments.names if name not in calibrators.MODULES]
    if unknown:
        print(f"calibrate: there is no calibration '{show(unknown[0])}'{near(unknown[0], calibrators.MODULES)}; "
              f"expected {', '.join(calibrators.MODULES)}", file=sys.stderr)  # fmt: skip
        return WRONG_CALL
    try:
        from generator.formulas import library

        files = [(calibrators.path(name), calibrators.calibrate(name, ROOT))
                 for name in arguments.names or calibrators.MODULES]  # fmt: skip
    except ImportError as error:
        print(f"calibrate: {error.name} is not installed; expected the test requirements (`make test` installs them)",
              file=sys.stderr)  # fmt: skip
        return WRONG_CALL
    code = _generated(files, "calibrate", arguments.check)
    # The constants stand in the browser's tables too.
    calibration.load.cache_clear()
    return code or _generated(browser.files(library.PROGRAMS), "formulas", arguments.check)


def _generated(files: Iterable[tuple[str, str]], command: str, check: bool) -> int:
    """Write generated files, or with ``check`` only say which are out of date."""
    stale = [(path, text) for path, text in files if _differs(ROOT / path, text)]
    if check:
        for path, _ in stale:
            print(f"{path}: is out of date; expected the output of `python -m generator {command}`",
                  file=sys.stderr)  # fmt: skip
        return WRONG_DATA if stale else OK
    for path, text in stale:
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")
    print(f"{len(stale)} files brought up to date")
    return OK


def _differs(path: Path, text: str) -> bool:
    return not path.is_file() or path.read_text(encoding="utf-8") != text


def _messages(arguments: argparse.Namespace) -> int:
    wrong = 0
    for code in i18n.LANGUAGES:
        path, text = i18n.po_path(code), i18n.update(code)
        shown = path.relative_to(ROOT)
        if arguments.check:
            if _differs(path, text):
                print(f"{shown}: is out of date; expected the output of `python -m generator messages`",
                      file=sys.stderr)  # fmt: skip
                wrong += 1
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        for message in i18n.untranslated(code):
            print(f"{shown}: no translation ({message})", file=sys.stderr)
            wrong += 1
    return WRONG_DATA if wrong else OK


def _export(arguments: argparse.Namespace) -> int:
    from generator.site.folder import write_site

    try:
        count = write_site(ROOT, arguments.folder)
    except OSError as error:
        print(f"{arguments.folder}: cannot be written ({error.strerror}); expected a folder",
              file=sys.stderr)  # fmt: skip
        return WRONG_CALL
    print(f"{count} pages written to {arguments.folder}")
    return OK


if __name__ == "__main__":
    sys.exit(main())
