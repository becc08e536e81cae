"""The shape of every kind of file under ``data/``: the only definition, all else is generated."""

from generator.schema.architecture import Architecture
from generator.schema.base import Text
from generator.schema.editorial import Glossary, GlossaryTerm, Series
from generator.schema.gpu import Gpu
from generator.schema.model import LanguageModel
from generator.schema.price import FxRate, PriceRow
from generator.schema.software import Software, SoftwareFact
from generator.schema.source import Source, Sources
from generator.schema.workload import Workload

__all__ = [
    "Architecture",
    "FxRate",
    "Glossary",
    "GlossaryTerm",
    "Gpu",
    "LanguageModel",
    "PriceRow",
    "Series",
    "Software",
    "SoftwareFact",
    "Source",
    "Sources",
    "Text",
    "Workload",
]
