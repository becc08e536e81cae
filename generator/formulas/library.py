"""All programs, in the order in which the guide explains them. Needs SymPy; everything else uses ``lowered``."""

from __future__ import annotations

from generator.formulas.algebra import Program
from generator.formulas.cost import COST
from generator.formulas.inference import INFERENCE_MEMORY
from generator.formulas.inference_speed import INFERENCE_SPEED
from generator.formulas.train_speed import TRAIN_SPEED
from generator.formulas.training import TRAINING_MEMORY

PROGRAMS: tuple[Program, ...] = (
    TRAINING_MEMORY,
    INFERENCE_MEMORY,
    TRAIN_SPEED,
    INFERENCE_SPEED,
    COST,
)
