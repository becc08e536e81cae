"""The activation terms against a real step of transformers and PEFT, on fake tensors: nothing is computed or allocated.

Every storage that a step creates is counted from its birth to its end, so the peak is what an allocator without
rounding would hold. Needs torch, transformers and peft: ``pip install torch transformers peft``.
"""

from __future__ import annotations

import contextlib
import gc
import weakref
from typing import Any

import pytest

from generator import calibration
from generator.estimators import training_memory
from generator.question import ATTENTION_TARGETS, Question, Training, ask
from generator.schema.model import LanguageModel, Parameters, Shape

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
peft = pytest.importorskip("peft")

from torch._subclasses.fake_tensor import FakeTensorMode  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from torch.utils._pytree import tree_leaves  # noqa: E402
from torch.utils.weak import WeakIdKeyDictionary  # noqa: E402

pytestmark = pytest.mark.slow
CONFIG = {
    "vocab_size": 8192, "hidden_size": 512, "intermediate_size": 1408, "num_hidden_layers": 4,
    "num_attention_heads": 8, "num_key_value_heads": 8,
}  # fmt: skip
BATCH, SEQUENCE = 2, 512


class _Meter(TorchDispatchMode):  # type: ignore[misc]
    """Bytes of all live storages, and their peak since :meth:`reset`."""

    def __init__(self) -> None:
        super().__init__()
        self.live = self.peak = 0
        self.seen = WeakIdKeyDictionary()

    def track(self, value: Any) -> None:
        if not isinstance(value, torch.Tensor) or value.untyped_storage() in self.seen:
            return
        storage = value.untyped_storage()
        size = storage.nbytes()
        self.seen[storage] = size
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._free, size)

    def _free(self, size: int) -> None:
        self.live -= size

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for value in tree_leaves(out):
            self.track(value)
        return out

    def reset(self) -> None:
        gc.collect()
        self.peak = self.live


def trace(method: str, checkpointing: bool, autocast: bool) -> dict[str, int]:
    """Bytes at the start of the second step, at its peak before the optimizer, and in the optimizer step."""
    config = transformers.LlamaConfig(**CONFIG)
    with torch.device("meta"):
        torch.set_default_dtype(torch.bfloat16)
        model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")
        torch.set_default_dtype(torch.float32)
        if checkpointing:
            model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        if method == "lora":
            targets = list(ATTENTION_TARGETS)
            lora = peft.LoraConfig(r=16, target_modules=targets, lora_dropout=0.0, task_type="CAUSAL_LM")
            model = peft.get_peft_model(model, lora)
            if checkpointing:
                model.enable_input_require_grads()
    model.config.use_cache = False
    model.train()
    with FakeTensorMode(allow_non_fake_inputs=True):
        meter = _Meter()
        _materialize(model)
        for tensor in [*model.parameters(), *model.buffers()]:
            meter.track(tensor)
        trained = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(trained, foreach=True)
        ids = torch.zeros(BATCH, SEQUENCE, dtype=torch.long)
        found: dict[str, int] = {}
        with meter:
            for _ in range(2):
                meter.reset()
                found["start"] = meter.live
                with torch.autocast("cpu", torch.bfloat16) if autocast else contextlib.nullcontext():
                    # The outputs, and with them the 16-bit logits, live until the step is over, as in most loops.
                    out = model(input_ids=ids, labels=ids)
                out.loss.backward()
                del out
                found["step"] = meter.peak
                meter.reset()
                optimizer.step()
                found["optimizer"] = meter.peak
                optimizer.zero_grad(set_to_none=True)
    return found


def _materialize(model: Any) -> None:
    """Put fake CPU tensors in the place of meta tensors, tied ones once."""
    made: dict[int, tuple[Any, Any]] = {}
    for module in model.modules():
        for name, parameter in list(module._parameters.items()):
            if parameter is not None:
                if id(parameter) not in made:
                    fake = torch.empty(parameter.shape, dtype=parameter.dtype)
                    made[id(parameter)] = (parameter, torch.nn.Parameter(fake, requires_grad=parameter.requires_grad))
                module._parameters[name] = made[id(parameter)][1]
        for name, buffer in list(module._buffers.items()):
            if buffer is not None:
                module._buffers[name] = torch.empty(buffer.shape, dtype=buffer.dtype)


def question(method: str, checkpointing: bool, autocast: bool) -> Question:
    shape = Shape.model_validate({
        "layers": CONFIG["num_hidden_layers"], "hidden_size": CONFIG["hidden_size"],
        "attention": {"heads": 8, "kv_heads": 8, "head_dim": 64, "qkv_bias": False, "output_bias": False,
                      "qk_norm": None, "sinks": False, "sliding_window": None, "latent": None},
        "mlp": {"kind": "swiglu", "intermediate_size": CONFIG["intermediate_size"], "bias": False}, "experts": None,
        "norm": {"kind": "rmsnorm", "per_layer": 2, "final": True, "embedding": False},
        "embedding": {"vocabulary": CONFIG["vocab_size"], "tied": False, "learned_positions": None, "head_bias": False},
    })  # fmt: skip
    model = LanguageModel(
        slug="traced", name="traced", kind="dense_decoder", family="llama", hugging_face=None, released=None,
        license=None, max_context=None, shape=shape, other_shape=None, gmac_per_image=None,
        parameters=Parameters(published=None, counted=None, reason=None), sources=["M_LITGPT"],
    )  # fmt: skip
    work = {"method": method, "sequence": SEQUENCE, "micro_batch": BATCH, "attention": "flash", "weights": "bf16",
            "precision": "amp-bf16" if autocast else "bf16", "targets": ATTENTION_TARGETS,
            "checkpointing": "full" if checkpointing else "none"}  # fmt: skip
    return ask(Training, work, model=model)


@pytest.mark.parametrize("autocast", [False, True], ids=["pure", "autocast"])
@pytest.mark.parametrize("checkpointing", [True, False], ids=["checkpointed", "kept"])
@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_real_step_peaks_where_the_formulas_say(method: str, checkpointing: bool, autocast: bool) -> None:
    traced = trace(method, checkpointing, autocast)
    found = training_memory.estimate(question(method, checkpointing, autocast), calibration.load("training-memory"))
    resident = found["resident"] - found["workspace_bytes"]
    assert traced["start"] == pytest.approx(resident, rel=0.01)
    # SDPA on the CPU adds a mask of length × length, which a GPU does not make.
    mask = BATCH * SEQUENCE * SEQUENCE * 2 * (1 if checkpointing else CONFIG["num_hidden_layers"])
    grown, expected = traced["step"] - traced["start"], found["peak_activations"] - found["resident"]
    assert expected * 0.97 <= grown <= expected * 1.03 + mask
    assert traced["optimizer"] - traced["start"] == pytest.approx(found["peak_step"] - found["resident"], rel=0.01)
