"""The gen-files script: hands the pages of generator.render to MkDocs. MkDocs runs it at each build."""

from __future__ import annotations

import sys
from pathlib import Path

from mkdocs.exceptions import PluginError
from mkdocs_gen_files.editor import FilesEditor

editor = FilesEditor.current()
root = Path(editor.config.config_file_path or "mkdocs.yml").absolute().parent
if str(root) not in sys.path:
    sys.path.insert(0, str(root))

from generator.site import reload  # noqa: E402

reload.forget_changed()

from generator import browser  # noqa: E402
from generator.catalog import DataError  # noqa: E402
from generator.render import Page, estimator_data, render_site  # noqa: E402
from generator.site.folder import LANGUAGES, address  # noqa: E402

# What the hook needs to know about a generated page, by its address. A fresh config comes with every build.
generated: dict[str, tuple[str, Page]] = {}
try:
    for lang in LANGUAGES:
        for page in render_site(root, lang):
            path = address(page, lang)
            with editor.open(path, "w") as file:
                file.write(page.text)
            editor.set_edit_path(path, page.source)
            generated[path] = (lang, page)
    with editor.open(browser.DATA_PATH, "w") as file:
        file.write(estimator_data(root))
except DataError as error:
    # A PluginError ends `mkdocs build` with exit code 1 and no traceback, and leaves `mkdocs serve` waiting for the
    # next save.
    raise PluginError(f"the data cannot be used:\n{error}") from None
finally:
    reload.remember()
editor.config.extra["generated"] = generated
