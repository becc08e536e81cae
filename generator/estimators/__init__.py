"""From a question to numbers: each module gathers the inputs of one program and runs its lowered formulas.

No arithmetic of the model stands here: only formulas know physics, only option tables know constants.
"""

from __future__ import annotations


class CannotEstimate(ValueError):  # noqa: N818 (it is an answer, not a fault)
    """There is no estimate. ``str()`` is the reason, one line for a reader."""
