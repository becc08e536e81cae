"""The repairs of the theme's search worker fit the pinned theme, and refuse what they do not know."""

from __future__ import annotations

from pathlib import Path

import material
import pytest

from generator.site.worker import REPAIRS, RepairError, repair, repair_site

SCRIPT = next(Path(material.__file__).parent.glob("templates/assets/javascripts/workers/search.*.min.js"))


def test_every_repair_fits_the_installed_theme() -> None:
    repaired = repair(SCRIPT.read_text(encoding="utf-8"))
    for _, old, new in REPAIRS:
        assert new in repaired
        assert old not in repaired.replace(new, "")


def test_a_worker_that_was_mended_or_changed_is_refused() -> None:
    script = SCRIPT.read_text(encoding="utf-8")
    for changed in (repair(script), script.replace("e=e+s+o.id", "e=`${e}${s}${o.id},`")):
        with pytest.raises(RepairError, match="expected once"):
            repair(changed)


def test_a_site_without_a_worker_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RepairError, match="0 files; expected one"):
        repair_site(tmp_path)
