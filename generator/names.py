"""Which model or card a name means: by slug, display name, Hugging Face id or alias, in any case and spelling.

People and benchmarks write "A100-80GB", "GeForce RTX 3090", "4090", "LLaMA-2-7B", "TheBloke/Mistral-7B-v0.1-GPTQ",
"Llama 3 8B Q4_K_M". A name is cut into atoms (letters, numbers, sizes: ``llama 2 7b``), so that spaces, hyphens and
case do not matter. What may be left over is only ever something that cannot change the shape: an organisation, a word
such as Instruct, a stored format, a later release or context length of the same name. Each such step is listed in
``assumptions``; a name of which anything else is left over is a miss, with near names.

A card's name that fits several cards means the one that has it as an alias (``data/gpus``: A100 is the SXM4 80GB), else
SXM before PCIe, the older before the newer, the smaller memory before the larger; the others are named in
``assumptions``. A memory size that no such card has is a miss: a 4090 with 48 GB is not in the catalog.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from generator import huggingface
from generator.huggingface import Weights
from generator.jsonreader import Assumption
from generator.problems import near, show
from generator.schema import Gpu, LanguageModel

if TYPE_CHECKING:
    from generator.catalog import Card, Catalog

MAX_NAME = 200
Atoms = tuple[str, ...]


@dataclass(frozen=True)
class ModelMatch:
    """The model that a name means; ``weights`` where the name says how they are stored."""

    model: LanguageModel
    weights: Weights | None = None
    assumptions: tuple[Assumption, ...] = ()


@dataclass(frozen=True)
class CardMatch:
    """The card that a name means; ``count`` where the name says how many ("2x RTX 3090")."""

    card: Card
    count: int | None = None
    assumptions: tuple[Assumption, ...] = ()


@dataclass(frozen=True)
class Miss:
    """No model or card has this name. ``str()`` is one line for the user."""

    kind: str
    name: str
    near: str = ""
    reason: str = ""

    def __str__(self) -> str:
        why = f": {self.reason}" if self.reason else ""
        return f"unknown {self.kind} ({show(self.name)}){why}{self.near}"


_ATOM = re.compile(r"\d+(?:\.\d+)?(?:gb|[bmk](?![a-z]))?|[a-z]+")


def atoms(name: str, underscore: str = ".") -> Atoms:
    """The name in small pieces: ``LLAMA3.1_405B`` and ``Llama 3.1 405b`` are both ``llama 3.1 405b``.

    ``underscore`` is what one between digits means: a point in Qwen-1_8B, a space in LLAMA3_8B.
    """
    text = unicodedata.normalize("NFKC", name).lower().replace("1half", "1.5")
    return tuple(_ATOM.findall(re.sub(r"(?<=\d)_(?=\d)", underscore, text)))


def _key(name: Atoms) -> str:
    """Atoms as they are compared: words run together (deepseek v 3, DeepSeekV3), numbers apart."""
    return re.sub(r"(?<=[a-z]) (?=[a-z])", "", " ".join(name))


# --- models ----------------------------------------------------------------------------------------------------------

# Words that name a tuning, a conversion or a file, never another shape.
_VARIANTS = frozenset({
    "instruct", "instruction", "inst", "chat", "it", "base", "hf", "ms", "sft", "dpo", "rlhf", "think", "thinking",
    "reasoning", "qat", "uncensored", "abliterated", "heretic", "mlx", "gguf", "ggml", "safetensors", "original",
    "pretrained",
})  # fmt: skip
# Leading words that are organisations or a family's first name.
_LEADING = frozenset({"meta", "nvidia", "google", "microsoft", "mistralai", "openai"})
_QUANT = (
    # (pattern on the lower-case name, format); the first that matches names the format, all are cut out.
    (r"([2348])[-_ ]?bits?(?=[-_ ](?:32|64|128)g)", "gptq-int{}"),
    (r"aqlm(?:[-_ ]?\d[-_ ]?bits?)?(?:[-_ ]?\dx\d+)?", "aqlm"),
    (r"exl2(?:[-_ ]?\d(?:\.\d+)?[-_ ]?bpw)?|\d(?:\.\d+)?[-_ ]?bpw", "exl2"),
    (r"gptq[-_ ]?(?:int)?[-_ ]?([2-8])(?:[-_ ]?bits?)?(?![0-9b])", "gptq-int{}"),
    (r"gptq", "gptq-int4"),
    (r"awq[-_ ]?(?:int)?[-_ ]?4?(?:[-_ ]?bits?)?(?![0-9b])", "awq-int4"),
    (r"(?:bnb[-_ ]?)?nf4", "nf4"),
    (r"(?:bnb|bitsandbytes)[-_ ]?4[-_ ]?bits?", "nf4"),
    (r"(?:bnb|bitsandbytes)[-_ ]?8[-_ ]?bits?", "int8"),
    (r"(?:iq|q)([1-8])_(?:k_(?:xxs|xs|s|m|l)|k|0|1|xxs|xs|s|m|nl)(?![a-z0-9])", "{0}"),
    (r"mxfp4", "mxfp4"), (r"nvfp4", "nvfp4"), (r"mxfp8", "mxfp8"), (r"fp8(?:[-_ ]?(?:dynamic|block))?", "fp8"),
    (r"w8a8[-_ ]?int8|int8", "gptq-int8"), (r"int4|w4a16(?:[-_ ]?g128)?", "gptq-int4"),
    (r"8[-_ ]?bits?", "int8"), (r"4[-_ ]?bits?", "nf4"),
    (r"bf16|bfloat16", "bf16"), (r"fp16|float16|f16", "fp16"), (r"fp32|float32|f32", "fp32"),
)  # fmt: skip
_EDGE = r"(?:(?<=[^a-z0-9])|^)(?:{})(?=[^a-z0-9]|$)"
_QUANTS = tuple((re.compile(_EDGE.format(pattern)), kind) for pattern, kind in _QUANT)
_GROUP = re.compile(_EDGE.format(r"g?(32|64|128)g?"))
_RELEASE = re.compile(r"2[3-9](?:0[1-9]|1[0-2])$|0[1-9][0-3]\d$|1[0-2][0-3]\d$")
_SIZE = re.compile(r"\d+(?:\.\d+)?[bm]")
_CONTEXT = frozenset({"4k", "8k", "16k", "32k", "64k", "128k", "200k", "256k", "1m"})


class Names:
    """Resolves names against one catalog; build it once and ask it often."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        # How a name may be reduced, from exact to most: first what nobody can confuse.
        self._models: tuple[dict[str, set[str]], ...] = ({}, {}, {})
        for model in catalog.models.values():
            for name in model_names(model):
                for level, reduced in enumerate(self._reductions(atoms(name))):
                    self._models[level].setdefault(_key(reduced), set()).add(model.slug)
        self._cards = [_Pattern.of(card) for card in catalog.cards.values()]
        self._words = frozenset(a for p in self._cards for a in p.needed | p.allowed)
        self._known_models: dict[str, ModelMatch | Miss] = {}
        self._known_cards: dict[str, CardMatch | Miss] = {}

    @staticmethod
    def _reductions(name: Atoms) -> tuple[Atoms, Atoms, Atoms]:
        plain = tuple(a for i, a in enumerate(name) if i == 0 or a not in _VARIANTS)
        plain = plain[1:] if len(plain) > 1 and plain[0] in _LEADING else plain
        return name, plain, tuple(_without_release(plain))

    def model(self, name: str) -> ModelMatch | Miss:
        """The model called ``name``, or described by the ``config.json`` at that path, or why there is none.

        Raises:
            DataError: ``name`` is the path of a ``config.json`` that cannot be used.
        """
        if name.lower().endswith(".json"):
            config = huggingface.read(Path(name), name)
            return ModelMatch(config.model, config.weights, config.assumptions)
        if name not in self._known_models:
            self._known_models[name] = self._model(name)
        return self._known_models[name]

    def card(self, name: str) -> CardMatch | Miss:
        """The card called ``name``, or why there is none."""
        if name not in self._known_cards:
            self._known_cards[name] = self._card(name)
        return self._known_cards[name]

    def _model(self, name: str) -> ModelMatch | Miss:
        if len(name) > MAX_NAME:
            return Miss("model", name, reason="too long for a name")
        for text, left in _readings(name):
            found = self._named(text)
            if found is not None:
                return ModelMatch(found.model, found.weights, (*left, *found.assumptions))
        known = [n for model in self.catalog.models.values() for n in (model.slug, model.name)]
        return Miss("model", name, near(re.sub(r"\s+", "-", name.split("/")[-1].strip()).lower(), known))

    def _named(self, text: str) -> ModelMatch | None:
        """A match of a name without an organisation, before and after its stored format is cut out."""
        underscores = (".", " ") if re.search(r"\d_\d", text) else (".",)
        for underscore in underscores:
            exact = self._lookup(0, atoms(text, underscore))
            if exact is not None:
                own = {_key(atoms(name)) for name in model_names(exact)[: -len(exact.aliases) or None]}
                noted = [] if _key(atoms(text, underscore)) in own else [_taken(exact, text)]
                return ModelMatch(exact, None, tuple(noted))
        weights, rest = _stored(text)
        noted = [Assumption("weights", str(weights), f"from the name {show(text)}")] if weights else []
        for underscore in underscores:
            reductions = self._reductions(atoms(rest, underscore))
            for level, reduced in enumerate(reductions):
                model = self._lookup(level, reduced)
                # A later release or a longer context may lack the window of the one that has it.
                if model is None or (level == 2 and model.shape is not None and model.shape.attention.sliding_window):
                    continue
                if level:
                    noted.append(_taken(model, text))
                return ModelMatch(model, weights, tuple(noted))
        return None

    def _lookup(self, level: int, name: Atoms) -> LanguageModel | None:
        """The one model with this name; a name that reduces to several of the same shape is the first of them."""
        slugs = sorted(self._models[level].get(_key(name), ())) if name else []
        models = [self.catalog.models[slug] for slug in slugs]
        if len(models) == 1 or (models and all(m.shape is not None and m.shape == models[0].shape for m in models)):
            return models[0]
        return None

    def _card(self, name: str) -> CardMatch | Miss:
        if len(name) > MAX_NAME:
            return Miss("card", name, reason="too long for a name")
        if name.strip().lower() in self.catalog.cards:
            return CardMatch(self.catalog.cards[name.strip().lower()])
        text, count = _count(name)
        match = self._one_card(text)
        if match is not None:
            return CardMatch(match.card, count, match.assumptions)
        parts = [p.strip() for p in re.split(r"[,，+;/、]|\bor\b|\band\b", text) if p.strip()]
        found = [m for part in parts if (m := self._one_card(part)) is not None]
        left = [p for p in parts if self._one_card(p) is None]
        if len({m.card.gpu.slug for m in found}) > 1:
            return Miss("card", name, reason="names several cards")
        if found and all(_SOFTWARE.match(part) for part in left):
            noted = Assumption("gpu", "left out", f"{show(', '.join(left))} in the name")
            return CardMatch(found[0].card, count, (noted, *found[0].assumptions))
        reason = self._why_no_card(text)
        return Miss("card", name, "" if reason else near(_plain(text), self._card_names()), reason)

    def _card_names(self) -> list[str]:
        return [_plain(name) for card in self.catalog.cards.values() for name in (card.gpu.slug, card.gpu.name)]

    def _one_card(self, text: str) -> CardMatch | None:
        """The card that one name without counts and lists means."""
        asked = _spoken(text)
        for p in self._cards:
            if asked and asked in p.exact:
                return CardMatch(self.catalog.cards[p.gpu.slug], None, self._others(p, asked, text))
        # Words that no card has ("Dell", "LambdaCloud") do not tell which card it is; anything with a digit may.
        unknown = frozenset(a for a in asked - self._words if a.isalpha())
        asked -= unknown
        fits = [p for p in self._cards if p.fits(asked)]
        if not asked or not fits:
            return None
        best = min(fits, key=lambda p: p.preference(asked))
        noted = [Assumption("gpu", "left out", f"{show(' '.join(sorted(unknown)))} in the name")] if unknown else []
        noted += self._others(best, asked, text)
        return CardMatch(self.catalog.cards[best.gpu.slug], None, tuple(noted))

    def _others(self, best: _Pattern, asked: frozenset[str], text: str) -> tuple[Assumption, ...]:
        """That the name fits other cards as well, unless it is the best one's own in full."""
        others = sorted(p.gpu.name for p in self._cards if p is not best and p.fits(asked))
        if not others or best.own <= asked:
            return ()
        names = ", ".join(others[:3]) + (", …" if len(others) > 3 else "")
        return (Assumption("gpu", best.gpu.slug, f"{show(text.strip())} may also be {names}"),)

    def _why_no_card(self, text: str) -> str:
        """What is wrong when only the memory size keeps a name from matching."""
        sizes = [a for a in _card_atoms(text) if a.endswith("gb")]
        match = self._one_card(re.sub(r"(?i)\d+(?:\.\d+)?\s*(?:gb|g|gib)\b", " ", text)) if sizes else None
        if match is None:
            return ""
        return f"{match.card.gpu.name} has {match.card.gpu.memory.memory_gib:g} GB"


def model_names(model: LanguageModel) -> tuple[str, ...]:
    """Every name a model answers to, most specific first."""
    hub = (model.hugging_face, model.hugging_face.split("/")[1]) if model.hugging_face else ()
    return (model.slug, model.name, *hub, *model.aliases)


def _taken(model: LanguageModel, text: str) -> Assumption:
    return Assumption("model", model.slug, f"the shape of {model.name} for {show(text)}")


def _readings(name: str) -> Iterator[tuple[str, list[Assumption]]]:
    """The name; without what stands in parentheses; without the organisation before a slash."""
    text = name.strip()
    left: list[Assumption] = []
    yield text, left
    bare = re.sub(r"\s*[(（][^()（）]*[)）]", "", text).strip()
    if bare and bare != text:
        left = [Assumption("model", "left out", f"{show(text[len(bare) :].strip())} in the name")]
        yield bare, left
    owner, slash, rest = bare.partition("/")
    if slash and rest and "/" not in rest and re.fullmatch(r"[\w.-]+", owner):
        yield rest, left


def _stored(text: str) -> tuple[Weights | None, str]:
    """The stored format that the name speaks of, and the name without it."""
    low = text.lower()
    found: Weights | None = None
    for pattern, kind in _QUANTS:
        match = pattern.search(low)
        if match is None:
            continue
        if found is None:
            bits = re.search(r"\d(?:\.\d+)?(?=[-_ ]?bpw)", match[0])
            found = Weights(kind.format(*(match.groups() if "{}" in kind else (match[0],))),
                            bits=float(bits[0]) if bits else None)  # fmt: skip
        low = f"{low[: match.start()]} {low[match.end() :]}"
    if found is not None and found.format.startswith(("gptq", "awq")):
        group = _GROUP.search(low)
        if group is not None:
            found = Weights(found.format, group_size=int(group[1]))
            low = f"{low[: group.start()]} {low[group.end() :]}"
    return found, low


def _without_release(name: Atoms) -> Iterator[str]:
    """Without a later release (2507, v0.2) or another context length (32k) at the end; a size must stay."""
    end = len(name)
    while end > 1:
        last, sized = name[end - 1], any(_SIZE.fullmatch(a) for a in name[: end - 1])
        if _RELEASE.fullmatch(last) or (sized and last in _CONTEXT):
            end -= 1
        elif sized and name[end - 2] == "v" and re.fullmatch(r"\d+\.\d+", last):
            end -= 2
        else:
            break
    yield from name[:end]


# --- cards -----------------------------------------------------------------------------------------------------------

# Words that a card's name may carry and a person may leave out.
_OPTIONAL = frozenset({
    "nvidia", "geforce", "rtx", "gtx", "quadro", "tesla", "jetson", "agx", "gpu", "gpus", "graphics", "card",
    "generation", "edition", "workstation", "server", "max", "q", "blackwell", "desktop", "sxm", "pcie",
})  # fmt: skip
# Words that may stand in front of or behind any card's name.
_SILENT = frozenset({"nvidia", "geforce", "tesla", "gpu", "gpus", "graphics", "card", "generation", "edition"})
_SERIES = frozenset({"rtx", "gtx", "quadro", "jetson", "agx", "blackwell", "desktop"})
_SOFTWARE = re.compile(r"(?i)(cuda|driver|torch|pytorch|nvlink|pcie|python|ubuntu|linux|windows|\d+\s*gpus?)\b|cuda")
_SAME = {
    "sxm2": "sxm", "sxm3": "sxm", "sxm4": "sxm", "sxm5": "sxm", "sxm6": "sxm", "hgx": "sxm", "dgx": "sxm",
    "pci": "pcie", "mobile": "laptop", "notebook": "laptop", "gen": "generation", "ws": "workstation", "se": "server",
}  # fmt: skip
_CARD_ATOM = re.compile(r"\d+(?:\.\d+)?g(?:i?b)?(?![a-z0-9])|[a-z]+\d+[a-z]*|\d+(?:\.\d+)?[a-z]*|[a-z]+")


def _card_atoms(name: str) -> Iterator[str]:
    """The pieces of a card's name in one spelling: ``RTX3080Ti-12G`` gives rtx, 3080, ti, 12gb."""
    text = unicodedata.normalize("NFKC", name).lower()
    text = re.sub(r"\b(rtx|gtx|quadro|tesla|titan)(?=[a-z]?\d)", r"\1 ", text)
    text = re.sub(r"(?<=\d)(tisuper|ti|super)\b", lambda m: f" {m[0].replace('tisuper', 'ti super')}", text)
    text = re.sub(r"(?<=\b[45]090)d\b", " d", text)
    text = re.sub(r"\bgen\s?\d\b", " ", text)
    text = re.sub(r"(?<=\d)\s+(?=g(?:i?b)?\b)", "", text)
    for piece in _CARD_ATOM.findall(text):
        size = re.fullmatch(r"(\d+(?:\.\d+)?)g(?:i?b)?", piece)
        yield f"{float(size[1]):g}gb" if size else _SAME.get(piece, piece)


def _spoken(name: str) -> frozenset[str]:
    """The atoms of a card's name that tell it from other cards."""
    return frozenset(_card_atoms(name)) - _SILENT


@dataclass(frozen=True)
class _Pattern:
    """What a name must contain to mean this card, and what it may contain; without silent words."""

    gpu: Gpu
    exact: tuple[frozenset[str], ...]
    aliases: tuple[frozenset[str], ...]
    needed: frozenset[str]
    allowed: frozenset[str]
    own: frozenset[str]

    @classmethod
    def of(cls, card: Card) -> _Pattern:
        gpu = card.gpu
        core, _, inside = gpu.name.partition("(")
        named = _spoken(core)
        sizes = {a for a in named if a.endswith("gb")}
        memory = {gpu.memory.memory_type.lower(), f"{gpu.memory.memory_gib:g}gb"}
        form = {"sxm_module": {"sxm"}, "superchip": {"sxm"}, "pcie_card": {"pcie"}}.get(gpu.identity.form_factor, set())
        series = {
            "geforce": {"rtx", "gtx"}, "laptop": {"rtx", "max", "q"}, "jetson": {"jetson", "agx"},
            "workstation": {"rtx", "quadro", "workstation"},
        }.get(gpu.market, set())  # fmt: skip
        chip = {(gpu.identity.chip or "").lower()} - {""}
        free = (named & _OPTIONAL) | sizes
        aliases = tuple(_spoken(alias) for alias in gpu.aliases)
        return cls(
            gpu, (_spoken(gpu.name), _spoken(gpu.slug), *aliases), aliases, named - free,
            frozenset(free | _spoken(inside) | memory | form | series | chip), named - _SERIES,
        )  # fmt: skip

    def fits(self, asked: frozenset[str]) -> bool:
        """Whether a name of these atoms can mean this card."""
        return self.needed <= asked <= self.needed | self.allowed

    def preference(self, asked: frozenset[str]) -> tuple[object, ...]:
        """Among the cards that a name may mean, the least is meant."""
        form = {"sxm_module": 0, "superchip": 1, "pcie_card": 2}.get(self.gpu.identity.form_factor, 3)
        date = self.gpu.identity.launch_date
        return (
            not self.own <= asked, not any(alias <= asked for alias in self.aliases), form,
            self.gpu.export_variant is not None, date.isoformat() if date else "9999", self.gpu.memory.memory_gib,
            self.gpu.slug,
        )  # fmt: skip


_COUNTS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?:^|(?<=\s))(\d{1,5})\s*[x×*]\s*(?=[a-z]|\d{4}\b)",
        r"\s[x×*]\s?(\d{1,5})\s*$",
        r"\s*[(（][x×](\d{1,5})[)）]\s*$",
    )
)


def _count(name: str) -> tuple[str, int | None]:
    """``2x RTX 3090`` and ``RTX 3090 x2`` without the number, and the number."""
    for pattern in _COUNTS:
        match = pattern.search(name)
        if match is not None:
            return f"{name[: match.start()]} {name[match.end() :]}".strip(), int(match[1])
    return name, None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", re.sub(r"(?i)\b(nvidia|geforce|tesla)\b", "", name).lower()).strip("-")


def shared(names: Iterable[tuple[str, Iterable[str]]]) -> Iterator[tuple[str, str, str]]:
    """Names that two things answer to: ``(name, slug of the first, slug of the second)``."""
    seen: dict[str, str] = {}
    for slug, own in names:
        for name in own:
            first = seen.setdefault(_key(atoms(name)), slug)
            if first != slug:
                yield name, first, slug
