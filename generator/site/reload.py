"""Live reload of the generator's own modules under `mkdocs serve`.

MkDocs runs the gen-files script again at each rebuild, but not the modules it imports. This forgets them, and only
when one of their files has changed, so that a plain build (or a test that builds twice) keeps the classes it holds.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

_KEEP = "generator.site"  # this package holds the state of the reload itself
_stamps: dict[str, int] = {}


def _loaded() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for name, module in list(sys.modules.items()):
        if name.startswith("generator.") and name != _KEEP and not name.startswith(_KEEP + "."):
            file = getattr(module, "__file__", None)
            if file:
                found[name] = Path(file)
    return found


def remember() -> None:
    """Note the state of every generator module that is loaded now."""
    _stamps.clear()
    _stamps.update({name: path.stat().st_mtime_ns for name, path in _loaded().items() if path.exists()})


def forget_changed() -> bool:
    """Unload the generator's modules if one of them was edited since `remember`; say whether that happened."""
    loaded = _loaded()
    changed = any(
        not path.exists() or path.stat().st_mtime_ns != _stamps[name]
        for name, path in loaded.items()
        if name in _stamps
    )
    if changed:
        for name in loaded:
            del sys.modules[name]
            # `from generator import catalog` takes the package's attribute before it looks for a module.
            parent, _, child = name.rpartition(".")
            if parent in sys.modules and hasattr(sys.modules[parent], child):
                delattr(sys.modules[parent], child)
        importlib.invalidate_caches()
    return changed
