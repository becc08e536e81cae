"""Two faults of the theme's search worker, mended in the built site.

Both make searches fail that this site lives on, and neither can be reached from outside the
minified file. Each repair must match exactly once: a release of the theme that changes the code
stops the build here, and says so, instead of bringing the fault back in silence.
"""

from __future__ import annotations

from pathlib import Path

REPAIRS: tuple[tuple[str, str, str], ...] = (
    (
        # A query in Chinese is cut into words of the index, but its last character is never looked
        # at: 带宽 was searched as 带, and found 带动 and 带有.
        "the last character of a Chinese query",
        "for(let o=s+1;o<t.length;o++)",
        "for(let o=s+1;o<=t.length;o++)",
    ),
    (
        "a last word of one character",
        "n[a]&&a<t.length-1&&(i[s++]=a)",
        "n[a]&&a<t.length&&(i[s++]=a)",
    ),
    (
        # lunr merges the ends of words whose keys are equal, and writes a key as label and number
        # without a mark between: 8 → 11 and 81 → 1 look the same. Words that do not exist appear,
        # and a search that meets one fails: "8" did, and "TITAN V".
        "keys of lunr's word tree",
        "e=e+s+o.id",
        'e=e+s+o.id+","',
    ),
)


class RepairError(Exception):
    """The theme's worker is not the one these repairs are for."""


def repair(script: str) -> str:
    """The worker's source with every repair applied.

    Raises:
        RepairError: a place was not found exactly once.
    """
    for name, old, new in REPAIRS:
        if script.count(old) != 1:
            raise RepairError(
                f"search worker: {name}: found {script.count(old)} times; expected once. "
                "See whether the theme has mended it, and drop or adapt the repair in generator/site/worker.py"
            )
        script = script.replace(old, new)
    return script


def repair_site(site: Path) -> None:
    """Repair the search worker of a built site.

    Raises:
        RepairError: it is missing, there are several, or a repair does not fit.
    """
    scripts = sorted(site.glob("assets/javascripts/workers/search.*.min.js"))
    if len(scripts) != 1:
        raise RepairError(f"search worker: {len(scripts)} files; expected one")
    scripts[0].write_text(repair(scripts[0].read_text(encoding="utf-8")), encoding="utf-8")
