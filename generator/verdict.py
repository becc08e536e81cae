"""Fits, tight, or does not fit: the need of a job against what a card offers."""

from __future__ import annotations

from typing import Literal

Verdict = Literal["fits", "tight", "no"]
# Shares of the usable memory. Beyond NO nearly all runs failed, below TIGHT nearly all ran; see the accuracy page.
TIGHT, NO = 0.93, 1.025


def verdict(need_bytes: float, usable_bytes: float) -> Verdict:
    """The verdict for a need in bytes on a card with so many usable bytes."""
    share = need_bytes / usable_bytes
    return "no" if share > NO else "tight" if share > TIGHT else "fits"


def between(low_bytes: float, high_bytes: float, available_bytes: float) -> Verdict:
    """The verdict for a need between two bounds: it fits if the upper one does, and not if the lower one does not."""
    return "no" if low_bytes > available_bytes else "fits" if high_bytes <= available_bytes else "tight"
