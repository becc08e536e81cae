"""Memory of a training step on one GPU: what is resident, what a step adds, the highest of four moments.

The activation terms were counted on a real step of transformers and PEFT with fake tensors, in autograd's own
saved tensors (``tests/slow/test_training_trace.py`` repeats it); see the ``basis`` of each option table.
"""

from __future__ import annotations

from sympy import Max, Min, ceiling

from generator.formulas.algebra import Program, when
from generator.formulas.card import card_memory
from generator.formulas.shape import PARAMETERS, shape
from generator.i18n import N_

TRAINING_MEMORY = Program("training_memory", N_("Memory of a training step"))
_p = TRAINING_MEMORY
BYTES, PER_TOKEN, COUNT = N_("bytes"), N_("bytes/token"), ""

(
    layers, hidden, heads, q_width, k_width, v_width, ffn, vocab, norms, qk_norm, parameters, linear, expert, matrix,
    experts, per_token,
) = _p.use(shape(
    "layers", "hidden", "heads", "q_width", "k_width", "v_width", "active_ffn", "vocab", "norms_per_layer",
    "query_key_norm", "parameters", "linear_parameters", "expert_parameters", "matrix_parameters", "experts",
    "experts_per_token",
))  # fmt: skip

# --- the question in numbers
sequence = _p.given("sequence", "s", N_("tokens"), N_("length of a sequence"))
micro_batch = _p.given("micro_batch", "b", "", N_("sequences of one step on one GPU"))
gpus = _p.given("gpus", "n", "", N_("GPUs"))
tensor = _p.given("tensor_parallel", "n_TP", "", N_("GPUs that share each matrix"))
pipeline = _p.given("pipeline_parallel", "n_PP", "", N_("GPUs that share the layers"))
context = _p.given("context_parallel", "n_CP", "", N_("GPUs that share each sequence"))
expert_parallel = _p.given("expert_parallel", "n_EP", "", N_("GPUs that share the experts"))
full = _p.given("full", "x_full", "", N_("1 if every weight is trained, 0 with adapters"))
grouped_experts = _p.given(
    "grouped_experts", "x_gE", "", N_("1 if one kernel runs all experts of a layer, 0 if they run one after the other")
)
accumulation = _p.given("accumulation", "n_acc", "", N_("micro-batches of one optimizer step"))
autocast = _p.given("autocast", "x_amp", "", N_("1 with autocast: matrices in 16 bits whatever the weights are"))
upcast_stream = _p.given("upcast_stream", "x_fp32", "", N_("1 if the residual stream was made FP32"))
kbit = _p.given(
    "upcast_rest",
    "x_kbit",
    "",
    N_("1 if everything that is not quantized is turned into FP32 first (PEFT's preparation of 4-bit models)"),
)
padded = _p.given("varying_lengths", "x_var", "", N_("1 if the length changes from batch to batch"))
clears = _p.given("clears_cache", "x_clear", "", N_("1 if the loop empties PyTorch's cache"))
adapter_parameters = _p.given("adapter_parameters", "N_ad", PARAMETERS, N_("parameters of the adapters"))
adapter_inputs = _p.given("adapter_inputs", "w_in", "", N_("input widths of all adapted matrices of a layer"))
distinct_inputs = _p.given(
    "adapter_distinct_inputs", "w_in*", "", N_("the same, an input that several matrices share counted once")
)
adapter_ranks = _p.given("adapter_ranks", "r_sum", "", N_("ranks of all adapters of a layer"))
adapter_on_mlp = _p.given("adapts_mlp", "x_mlp", "", N_("1 if feed-forward matrices have adapters"))
adapted = _p.given("adapted_parameters", "N_tgt", PARAMETERS, N_("parameters of the adapted matrices of a layer"))
adapter_bytes = _p.given("adapter_bytes", "β_ad", BYTES, N_("bytes of an adapter parameter"))
# --- what the named choices stand for (generator/formulas/options)
base_bits = _p.given("bits_base", "β_W", N_("bits"), N_("bits of a weight of the layers' matrices"))
group_bits = _p.given("group_bits", "β_grp", N_("bits"), N_("bits of the constants that a group of weights shares"))
group = _p.given("default_group", "n_grp", "", N_("weights in a group"))
rest_bits = _p.given("bits_rest", "β_rest", N_("bits"), N_("bits of every other weight"))
quantized = _p.given("quantized", "x_q", "", N_("1 if the weights are unpacked before they are used"))
state_copies = _p.given("state_copies", "m_state", "", N_("optimizer states in the format of the trained weights"))
state_fixed = _p.given("state_fixed_bytes", "m_8bit", BYTES, N_("optimizer states of a fixed size, for each parameter"))
step_copies = _p.given("step_copies", "m_step", "", N_("copies of the trained weights that the optimizer step makes"))
step_matrix = _p.given(
    "step_matrix_bytes", "m_mat", BYTES, N_("what the step needs for each parameter of the largest matrix")
)
paged = _p.given("paged_states", "x_page", "", N_("1 if the states are pages that may leave the GPU"))
expands_kv = _p.given("expands_kv", "x_kv", "", N_("1 if keys and values are copied to every query head"))
score_copies = _p.given("score_copies", "m_s", "", N_("copies of the attention scores that are kept"))
score_extra = _p.given("score_extra_bytes", "m_sb", BYTES, N_("further bytes for each score in the backward pass"))
norm_frozen = _p.given(
    "norm_frozen_bytes", "β_n0", BYTES, N_("bytes that a norm with frozen weights keeps for each element")
)
norm_trained = _p.given("norm_trained_bytes", "β_n1", BYTES, N_("bytes that a trained norm keeps for each element"))
fused_mlp = _p.given("fused_mlp", "x_fmlp", "", N_("1 if activation and product of the MLP are one kernel"))
adapter_copies = _p.given(
    "adapter_input_copies", "m_ad", "", N_("copies of their input that adapters keep, by kernel: 1 each, or shared")
)
adapter_shared = _p.given(
    "adapter_shared_inputs", "x_sh", "", N_("1 if fused adapters share the copy of a common input")
)
method_copies = _p.given(
    "method_input_copies", "m_peft", "", N_("input copies of this kind of adapter, as a share of LoRA's")
)
delta_bytes = _p.given(
    "delta_bytes", "m_Δ", BYTES, N_("bytes for each adapted weight when the change is built in full")
)
mlp_frozen = _p.given("mlp_copies", "m_f", "", N_("feed-forward activations that are kept"))
mlp_trained = _p.given("mlp_trained_copies", "m_f1", "", N_("one more for trained weights"))
mlp_peak = _p.given(
    "mlp_backward_copies", "m_fb", "", N_("feed-forward tensors alive at the worst moment of the backward pass")
)
gated = _p.given("gated", "x_g", "", N_("1 for gated MLPs (SwiGLU, GeGLU)"))
layernorm = _p.given("layernorm", "x_ln", "", N_("1 for LayerNorm, 0 for RMSNorm"))
logit_bytes = _p.given("logit_base_bytes", "β_V", BYTES, N_("bytes for each logit at the loss"))
logit_fp32 = _p.given("logit_fp32_bytes", "β_V32", BYTES, N_("more where the output head is FP32"))
loss_hidden = _p.given(
    "loss_hidden_bytes", "β_h", BYTES, N_("bytes for each element of the last hidden state at the loss")
)
whole_logits = _p.given("whole_logits", "x_V", "", N_("1 if all logits exist at once"))
head_code = _p.given(
    "head_code_bytes", "β_Vm", BYTES, N_("difference of this model's own code at the loss, full fine-tuning")
)
head_adapter = _p.given(
    "head_code_adapter_bytes", "β_Va", BYTES, N_("difference of this model's own code at the loss, with adapters")
)
norm_code = _p.given(
    "norm_code_bytes", "β_nm", BYTES, N_("difference of this model's own norms, where they are trained")
)
checkpointed = _p.given("checkpointed", "x_ck", "", N_("1 with gradient checkpointing of whole layers"))
keeps_scores = _p.given("keeps_scores", "x_keep", "", N_("0 if attention scores are computed again"))
offload_saved = _p.given("offloads_checkpoints", "x_cpu", "", N_("1 if checkpoints wait in host memory"))
shards_weights = _p.given("shards_weights", "x_W", "", N_("1 if each GPU keeps a part of the weights"))
shards_grads = _p.given("shards_gradients", "x_G", "", N_("1 if each GPU keeps a part of the gradients"))
shards_states = _p.given("shards_states", "x_S", "", N_("1 if each GPU keeps a part of the optimizer states"))
bucketed = _p.given("gradient_buckets", "x_DDP", "", N_("1 if gradients are copied into buckets (DDP)"))
split_layers = _p.given("splits_layers", "x_map", "", N_("1 if layers are spread over the GPUs one after the other"))
master = _p.given("fp32_master", "x_32", "", N_("1 if the sharding keeps FP32 copies of trained weights (DeepSpeed)"))
fp32_gradients = _p.given("fp32_gradients", "x_g32", "", N_("1 if gradients are summed in FP32 (Megatron)"))
upcasts = _p.given(
    "upcasts_trained", "x_up", "", N_("1 if trained weights become FP32 under autocast (FSDP of Accelerate)")
)
keeps_inputs = _p.given(
    "keeps_frozen_inputs",
    "x_fz",
    "",
    N_("1 if hooks of frozen units keep gradients of their inputs (first generation of FSDP)"),
)
unsharded_sum = _p.given(
    "sums_unsharded", "x_sum", "", N_("1 if gradients that are summed stay whole (FSDP without synchronisation)")
)
offload_weights = _p.given("offloads_weights", "x_cW", "", N_("1 if weights and gradients wait in host memory"))
offload_states = _p.given("offloads_states", "x_cS", "", N_("1 if optimizer states wait in host memory"))
# --- fitted (data/calibration/training-memory.json)
frag_logit = _p.given("fragment_logit_bytes", "φ_V", BYTES, N_("bytes for each logit that the allocator cannot reuse"))
frag_varying = _p.given("fragment_varying_bytes", "φ_var", BYTES, N_("more where lengths vary"))
frag_saved = _p.given("fragment_saved", "φ_s", "", N_("share of the kept activations that is lost between blocks"))
frag_score = _p.given("fragment_score_bytes", "φ_a", BYTES, N_("bytes lost for each attention score"))
frag_shard = _p.given("fragment_sharded", "φ_W", "", N_("share of the resident memory that gathering loses"))
frag_step = _p.given(
    "fragment_step", "φ_t", "", N_("share of the activations' blocks that the optimizer step cannot reuse")
)
frag_clear = _p.given("fragment_step_cleared", "φ_tc", "", N_("the same after emptying the cache"))
base_bytes = _p.given("reserve_base", "φ_0", BYTES, N_("smallest surplus of reserved over allocated"))
need_extra = _p.given("need_fragments", "ν_1", "", N_("share of the activations that a fit needs on top"))
need_multi = _p.given("need_fragments_multi", "ν_n", "", N_("more for several GPUs"))
nccl = _p.given("nccl_bytes", "B_nccl", BYTES, N_("buffers of the communication library"))
# --- the card
_p.part(
    "card", N_("The card"),
    N_("What the driver leaves of the memory on the box, and what a process takes before its first tensor."),
)  # fmt: skip
_, usable, context_bytes = card_memory(_p)
workspace = _p.given("workspace_bytes", "B_ws", BYTES, N_("cuBLAS workspace and small tensors"))

_p.part("formats", N_("Formats"), N_("How many bytes a weight, a gradient, an optimizer state and an activation have."))
linear_bits = _p.let(
    "linear_bits",
    "β_lin",
    N_("bits"),
    N_("bits of a weight of the layers' matrices with its constants"),
    base_bits + group_bits / group,
)
autocast_free = 1 - autocast
fp32_stream = _p.let(
    "fp32_stream",
    "x_st",
    "",
    N_("1 if the residual stream is FP32"),
    when(rest_bits >= 32, 1, upcast_stream) * (1 - fp32_gradients),
)
act = _p.let("kept_bytes", "β", BYTES, N_("bytes of an activation"), when(fp32_stream * autocast_free > 0, 4, 2))
stream = _p.let(
    "stream_bytes", "β_x", BYTES, N_("bytes of an element of the residual stream"), when(fp32_stream > 0, 4, 2)
)
rest_bytes = _p.let(
    "rest_bytes", "β_r", BYTES, N_("bytes of a weight outside the layers' matrices"), when(kbit > 0, 4, rest_bits / 8)
)
upcast_now = _p.let("upcast_now", "x_up*", "", N_("1 if trained weights become FP32"), upcasts * autocast * full)
trained_bytes = _p.let(
    "trained_bytes",
    "β_t",
    BYTES,
    N_("bytes of a trained weight"),
    when(full > 0, when(upcast_now > 0, 4, when(fp32_gradients > 0, 2, linear_bits / 8)), adapter_bytes),
)
kept_gradient = _p.let(
    "kept_gradient_bytes",
    "β_G",
    BYTES,
    N_("bytes of a gradient that is kept"),
    when(fp32_gradients > 0, 4, trained_bytes),
)
state_basis = _p.let(
    "state_basis",
    "β_s",
    BYTES,
    N_("bytes of one optimizer state in the trained format"),
    when(master * full > 0, 4, trained_bytes),
)
master_bytes = _p.let(
    "master_bytes", "β_32", BYTES, N_("bytes of the FP32 copy"), when(master * full * (1 - upcast_now) > 0, 4, 0)
)
step_bytes = _p.let(
    "step_bytes",
    "β_step",
    BYTES,
    N_("bytes that the optimizer step needs for each parameter"),
    when(fp32_gradients > 0, 0, when(master * full > 0, 4, step_copies * trained_bytes)),
)
grad_compute = _p.let(
    "gradient_bytes",
    "β_g",
    BYTES,
    N_("bytes of a gradient while it is computed"),
    when(full > 0, when(linear_bits <= 16, 2, 4), 4),
)
cast_bytes = _p.let(
    "cast_bytes",
    "β_c",
    BYTES,
    N_("bytes of autocast's 16-bit copies of the weights"),
    when(full * autocast * (1 - upcast_now) * when(linear_bits >= 32, 1, 0) > 0, 2, 0),
)

_p.part(
    "here", N_("What lies on this GPU"),
    N_("The layers and parameters of the fullest GPU, and how many GPUs share them."),
)  # fmt: skip
data_parallel = _p.let(
    "data_parallel",
    "n_DP",
    "",
    N_("GPUs that work on different data"),
    when(split_layers > 0, 1, gpus / (tensor * pipeline * context)),
)
stages = _p.let("stages", "n_st", "", N_("parts that the layers are cut into"), when(split_layers > 0, gpus, pipeline))
tokens = _p.let("tokens", "T", N_("tokens"), N_("tokens of one step on one GPU"), micro_batch * sequence / context)
layers_here = _p.let("layers_here", "L_1", "", N_("layers on the fullest GPU"), ceiling(layers / stages))
share = _p.let("layer_share", "σ", "", N_("share of the layers on it"), layers_here / layers)
edge = _p.let(
    "edge_share",
    "σ_V",
    "",
    N_("share of embedding and head on it"),
    when(stages > 1, Max(0.5, share), 1),
    holds=N_("Embedding and head stand on the first and the last GPU; half of them where layers are spread."),
)
weight_shards = _p.let(
    "weight_shards", "n_W", "", N_("GPUs that share the weights"), when(shards_weights > 0, data_parallel, 1)
)
grad_shards = _p.let(
    "gradient_shards", "n_G", "", N_("GPUs that share the gradients"), when(shards_grads > 0, data_parallel, 1)
)
state_shards = _p.let(
    "state_shards", "n_S", "", N_("GPUs that share the states"), when(shards_states > 0, data_parallel, 1)
)
gathers = _p.let(
    "gathers",
    "x_ag",
    "",
    N_("1 if weights are gathered layer by layer"),
    when(shards_weights * (data_parallel - 1) > 0, 1, 0),
)
dense_here = _p.let(
    "dense_here",
    "N_1",
    PARAMETERS,
    N_("matrix parameters on it before sharding, without experts"),
    (linear - expert) / tensor * share,
)
expert_here = _p.let(
    "expert_here",
    "N_E",
    PARAMETERS,
    N_("parameters of experts on it before sharding"),
    expert / (expert_parallel * when(fp32_gradients > 0, 1, tensor)) * share,
)
other_here = _p.let(
    "other_here", "N_2", PARAMETERS, N_("other parameters on it before sharding"), (parameters - linear) / tensor * edge
)
adapter_here = _p.let(
    "adapter_here",
    "N_a",
    PARAMETERS,
    N_("adapter parameters on it before sharding"),
    (1 - full) * adapter_parameters * share / tensor,
)
trained = _p.let(
    "trained",
    "N_t",
    PARAMETERS,
    N_("trained parameters on it before sharding"),
    full * (dense_here + expert_here + other_here) + adapter_here,
)
layer_parameters = _p.let(
    "layer_parameters",
    "N_L",
    PARAMETERS,
    N_("matrix parameters of one layer"),
    (dense_here + expert_here) / layers_here,
)
expert_weights = _p.let(
    "expert_weight_shards",
    "n_WE",
    "",
    N_("GPUs that share an expert's weights"),
    Max(1, weight_shards / expert_parallel),
)
expert_grads = _p.let(
    "expert_gradient_shards",
    "n_GE",
    "",
    N_("GPUs that share an expert's gradients"),
    Max(1, grad_shards / expert_parallel),
)
expert_states = _p.let(
    "expert_state_shards",
    "n_SE",
    "",
    N_("GPUs that share an expert's states"),
    Max(1, state_shards * when(fp32_gradients > 0, tensor, 1) / expert_parallel),
)
states_held = _p.let(
    "states_held",
    "N_S",
    PARAMETERS,
    N_("parameters whose optimizer states lie on it"),
    full * ((dense_here + other_here) / state_shards + expert_here / expert_states) + adapter_here / state_shards,
)

_p.part("resident", N_("Weights, gradients, optimizer states"), N_("What does not grow with the length of a sequence."))
on_gpu = 1 - offload_weights
frozen = _p.let(
    "frozen_weights",
    "B_W",
    BYTES,
    N_("frozen weights"),
    (1 - full)
    * (
        (dense_here / weight_shards + expert_here / expert_weights) * linear_bits / 8
        + other_here / weight_shards * rest_bytes
    )
    * on_gpu,
    ("QLORA_PAPER", "LORA_PAPER"),
)
trained_weights = _p.let(
    "trained_weights",
    "B_t",
    BYTES,
    N_("trained weights"),
    (full * ((dense_here + other_here) / weight_shards + expert_here / expert_weights) + adapter_here / weight_shards)
    * trained_bytes
    * on_gpu,
)
states = _p.let(
    "optimizer_states",
    "B_S",
    BYTES,
    N_("optimizer states and FP32 copies"),
    states_held * (master_bytes + state_copies * state_basis + state_fixed) * (1 - offload_states) * (1 - paged),
    ("ZERO_PAPER",),
)
resident = _p.let(
    "resident", "B_0", BYTES, N_("what stays on the GPU all the time"), frozen + trained_weights + states + workspace
)
grads = _p.let(
    "gradients",
    "B_G",
    BYTES,
    N_("gradients after the backward pass"),
    (full * ((dense_here + other_here) / grad_shards + expert_here / expert_grads) + adapter_here / grad_shards)
    * kept_gradient
    * on_gpu,
    ("ZERO_PAPER",),
)
accumulates = _p.let(
    "accumulates",
    "x_acc",
    "",
    N_("1 if gradients are summed over several micro-batches"),
    when(accumulation > 1, 1, 0),
)
held = _p.let(
    "held_gradients",
    "B_acc",
    BYTES,
    N_("gradients that are there during the forward pass"),
    accumulates * when(unsharded_sum * (data_parallel - 1) > 0, trained * grad_compute * on_gpu, grads),
)
bucket = _p.let(
    "bucket",
    "B_DDP",
    BYTES,
    N_("gradient buckets"),
    when(bucketed * (data_parallel - 1) > 0, trained * kept_gradient, 0),
)
cast_copy = _p.let("cast_copy", "B_c", BYTES, N_("16-bit copies of the weights under autocast"), cast_bytes * trained)
gathered = _p.let(
    "gathered",
    "B_ag",
    BYTES,
    N_("gathered weights: embedding and head, this layer and the next"),
    gathers * (other_here * 2 + 2 * layer_parameters * when(full > 0, 2, linear_bits / 8)),
    ("FSDP_PAPER",),
)
unpacked = _p.let(
    "unpacked", "B_dq", BYTES, N_("the largest matrix, unpacked to 16 bits"), quantized * matrix * 2 / tensor
)

_p.part(
    "layer", N_("Activations of one layer"),
    N_("What a layer keeps of each token for its backward pass, and what that pass needs at its worst moment."),
)  # fmt: skip
wide = _p.let(
    "wide_stream",
    "x_wide",
    "",
    N_("1 if the stream is FP32 while matrices are 16 bits: each casts its own copy"),
    when(fp32_stream * autocast * when(linear_bits >= 32, 1, 0) * (1 - upcast_now) > 0, 1, 0),
)
norm_bytes = _p.let(
    "norm_bytes", "β_n", BYTES, N_("bytes that a norm keeps for each element"),
    when(layernorm > 0, when(wide > 0, 13, act * (1 + full)),
         when(wide > 0, 9 + 8 * full,
              when(full > 0, norm_trained + norm_code + when(norm_trained > norm_frozen, 2 * (act - 2), 0),
                   norm_frozen))),
)  # fmt: skip
norm_saved = _p.let(
    "norm_saved",
    "A_n",
    PER_TOKEN,
    N_("kept by the norms"),
    norm_bytes * (norms * hidden + qk_norm * (q_width + k_width)) / tensor,
)
kv_kept = _p.let(
    "kv_kept",
    "h_kv",
    "",
    N_("width of keys and values as attention keeps them"),
    when(expands_kv > 0, 2 * q_width, k_width + v_width),
)
attention_saved = _p.let(
    "attention_saved",
    "A_a",
    PER_TOKEN,
    N_("kept by attention"),
    (act * (2 * q_width + kv_kept) + 4 * heads + act * score_copies * keeps_scores * heads * sequence) / tensor,
    ("FLASH_ATTENTION_PAPER",),
    N_("FlashAttention and SDPA keep queries, keys, values, the result and one number a row."),
)
mlp_kept = _p.let(
    "mlp_kept",
    "m_F",
    "",
    N_("feed-forward activations kept"),
    when(fused_mlp * gated > 0, 2, mlp_frozen) + full * mlp_trained,
)
mlp_alive = _p.let(
    "mlp_alive",
    "m_B",
    "",
    N_("feed-forward tensors alive in the backward pass"),
    when(fused_mlp * gated > 0, 4, mlp_peak),
)
routed_copies = _p.let(
    "routed_copies",
    "A_r",
    PER_TOKEN,
    N_("copies of a token for each expert it visits"),
    when(experts > 0, 2 * act * per_token * hidden, 0),
)
mlp_saved = _p.let(
    "mlp_saved", "A_f", PER_TOKEN, N_("kept by the feed-forward block"), act * mlp_kept * ffn / tensor + routed_copies
)
copy_bytes = _p.let(
    "adapter_copy", "A_c", PER_TOKEN, N_("input copies of the adapters"),
    method_copies * adapter_copies * when(
        fp32_stream * autocast_free > 0, 4 * distinct_inputs,
        when(adapter_shared > 0, 2 * distinct_inputs, when(autocast > 0, 2 * adapter_inputs,
             when(adapter_bytes <= 2, 2 * distinct_inputs, 4 * adapter_inputs)))),
    ("LORA_PAPER",), N_("FP32 adapters keep an FP32 copy of a 16-bit input unless autocast or a kernel saves it."),
)  # fmt: skip
adapter_saved = _p.let(
    "adapter_saved",
    "A_ad",
    PER_TOKEN,
    N_("kept by the adapters"),
    (1 - full) * (copy_bytes / tensor + 2 * act * adapter_ranks),
)
layer_saved = _p.let(
    "layer_saved",
    "A_L",
    PER_TOKEN,
    N_("kept by one layer without checkpointing"),
    norm_saved + attention_saved + mlp_saved + adapter_saved,
)
hot_share = _p.let(
    "hot_share",
    "σ_E",
    "",
    N_("share of the tokens that the busiest expert gets"),
    when(experts * (1 - grouped_experts) > 0, Min(1, 2 / Max(experts, 1)), 1),
    holds=N_("Experts that run one after the other; twice the mean share."),
)
mlp_adapters = _p.let(
    "mlp_adapter_extra",
    "A_fa",
    PER_TOKEN,
    N_("more where the feed-forward block has adapters"),
    (1 - full) * adapter_on_mlp * when(act > 2, 0, 1) * (1 - adapter_shared) * (10 * hidden + 2 * ffn),
)
mlp_backward = _p.let(
    "mlp_backward",
    "A_fb",
    PER_TOKEN,
    N_("feed-forward block at its worst moment"),
    act * (mlp_kept + (mlp_alive - mlp_kept) * hot_share) * ffn / tensor + mlp_adapters + routed_copies,
)
attention_backward = _p.let(
    "attention_backward",
    "A_ab",
    PER_TOKEN,
    N_("attention at its worst moment"),
    attention_saved
    + (
        act * (2 * q_width + kv_kept)
        + 4 * q_width
        + when(score_copies > 0, 2 * act + score_extra, 0) * heads * sequence
    )
    / tensor,
    ("FLASH_ATTENTION_PAPER",),
)
layer_working = _p.let(
    "layer_working",
    "A_w",
    PER_TOKEN,
    N_("one layer in its backward pass"),
    norm_saved + adapter_saved + act * hidden + Max(attention_saved + mlp_backward, attention_backward),
)
layer_checkpoint = _p.let(
    "layer_checkpoint",
    "A_ck",
    PER_TOKEN,
    N_("the checkpoint of one layer: its input"),
    stream * hidden / tensor * (1 - offload_saved),
    ("CHECKPOINTING_PAPER",),
)
saved = _p.let(
    "saved",
    "B_A",
    BYTES,
    N_("activations kept for the backward pass"),
    tokens * layers_here * when(checkpointed > 0, layer_checkpoint, layer_saved) * when(split_layers > 0, 1, pipeline),
)
deltas = _p.let(
    "deltas",
    "B_Δ",
    BYTES,
    N_("changes of weights that are built in full"),
    (1 - full) * delta_bytes * adapted * when(checkpointed > 0, 1, layers_here) / weight_shards,
)
working = _p.let("working", "B_w", BYTES, N_("one layer in its backward pass, all tokens"), tokens * layer_working)

_p.part(
    "moments", N_("The four moments"),
    N_("Memory is highest at the loss, in the backward pass of the last or the first layer, or in the step."),
)  # fmt: skip
per_logit = _p.let(
    "per_logit",
    "β_L",
    BYTES,
    N_("bytes for each logit at the loss"),
    logit_bytes
    + logit_fp32 * when(rest_bytes >= 4, autocast_free, 0)
    + (full * head_code + (1 - full) * head_adapter) * whole_logits,
)
loss_bytes = _p.let(
    "loss_bytes",
    "B_V",
    BYTES,
    N_("logits and loss"),
    tokens * (per_logit * vocab / tensor + loss_hidden * when(act > 2, 2, 1) * hidden),
)
head_gradient = _p.let(
    "head_gradient",
    "B_gV",
    BYTES,
    N_("gradient of the output head"),
    full * vocab * hidden * grad_compute / tensor * edge,
)
around = _p.let(
    "around",
    "B_x",
    BYTES,
    N_("gradients, buckets, copies and gathered weights beside the activations"),
    held + bucket + cast_copy + gathered,
)
peak_loss = _p.let(
    "peak_loss",
    "B_1",
    BYTES,
    N_("at the loss"),
    resident + around + saved + deltas + loss_bytes,
)
kept_inputs = _p.let(
    "kept_inputs",
    "B_fz",
    BYTES,
    N_("gradients of layer inputs that hooks of frozen units keep"),
    when(
        keeps_inputs * (1 - full) * checkpointed * (data_parallel - 1) > 0,
        tokens * layer_checkpoint * (layers_here - 2),
        0,
    ),
)
layer_gradient = _p.let(
    "layer_gradient",
    "B_gL",
    BYTES,
    N_("whole gradient of one layer before it is shared"),
    gathers * trained / layers_here * grad_compute,
)
peak_first = _p.let(
    "peak_first_layer", "B_2", BYTES, N_("in the backward pass of the last layer, the first to come"),
    resident + around + saved + deltas + kept_inputs + unpacked
    + working - when(checkpointed > 0, 0, tokens * layer_saved)
    + layer_gradient + head_gradient * (1 - accumulates) * (1 - gathers),
)  # fmt: skip
peak_last = _p.let(
    "peak_last_layer",
    "B_3",
    BYTES,
    N_("in the backward pass of the first layer, the last to come"),
    resident
    + Max(held, grads)
    + bucket
    + cast_copy
    + gathered
    + layer_gradient
    + tokens * layer_checkpoint
    + working
    + unpacked,
)
step_extra = _p.let(
    "step_extra",
    "B_st",
    BYTES,
    N_("temporary tensors of the optimizer step"),
    states_held * step_bytes * (1 - offload_states) + step_matrix * matrix / tensor,
)
peak_step = _p.let("peak_step", "B_4", BYTES, N_("in the optimizer step"), resident + grads + bucket + step_extra)
activations_peak = _p.let(
    "peak_activations",
    "B_12",
    BYTES,
    N_("the highest of the three moments with activations"),
    Max(peak_loss, peak_first, peak_last),
)
allocated = _p.let("allocated", "B_alloc", BYTES, N_("peak of allocated memory"), Max(activations_peak, peak_step))

_p.part(
    "breakdown", N_("The breakdown"),
    N_("What lies there at the highest moment. The rows add up to allocated memory."),
)  # fmt: skip
at_step = _p.let(
    "at_step", "x_4", "", N_("1 if the optimizer step is the highest moment"), when(peak_step >= activations_peak, 1, 0)
)
at_loss = _p.let(
    "at_loss", "x_1", "", N_("1 if the loss is"), (1 - at_step) * when(peak_loss >= Max(peak_first, peak_last), 1, 0)
)
at_first = _p.let(
    "at_first",
    "x_2",
    "",
    N_("1 if the last layer's backward pass is"),
    (1 - at_step) * (1 - at_loss) * when(peak_first >= peak_last, 1, 0),
)
at_last = _p.let("at_last", "x_3", "", N_("1 if the first layer's backward pass is"), 1 - at_step - at_loss - at_first)
_p.let("term_weights", "B_W*", BYTES, N_("Weights"), frozen + trained_weights, term=True)
_p.let("term_states", "B_S*", BYTES, N_("Optimizer states"), states, term=True)
_p.let(
    "term_gradients",
    "B_G*",
    BYTES,
    N_("Gradients"),
    bucket
    + at_step * grads
    + at_last * (Max(held, grads) + layer_gradient)
    + at_loss * held
    + at_first * (held + layer_gradient + head_gradient * (1 - accumulates) * (1 - gathers)),
    term=True,
)
_p.let(
    "term_activations",
    "B_A*",
    BYTES,
    N_("Activations"),
    at_loss * (saved + deltas)
    + at_first * (saved + deltas + working - when(checkpointed > 0, 0, tokens * layer_saved) + kept_inputs)
    + at_last * (tokens * layer_checkpoint + working),
    term=True,
)
_p.let("term_logits", "B_V*", BYTES, N_("Logits and loss"), at_loss * loss_bytes, term=True)
_p.let(
    "term_copies",
    "B_C*",
    BYTES,
    N_("Gathered, cast and unpacked weights"),
    (1 - at_step) * (cast_copy + gathered) + (at_first + at_last) * unpacked,
    term=True,
)
_p.let("term_step", "B_T*", BYTES, N_("Optimizer step"), at_step * step_extra, term=True)
_p.let("term_other", "B_O*", BYTES, N_("Workspaces"), workspace, term=True)

_p.part(
    "allocator", N_("Allocator, driver and need"),
    N_("What PyTorch keeps beyond its tensors, what nvidia-smi shows, what a card must have. Partly fitted."),
)  # fmt: skip
loss_lost = _p.let(
    "loss_lost",
    "F_V",
    BYTES,
    N_("lost between blocks at the loss"),
    when(clears > 0, 0, frag_logit + padded * frag_varying) * tokens * vocab * whole_logits / tensor,
)
backward_lost = _p.let(
    "backward_lost",
    "F_A",
    BYTES,
    N_("lost between blocks in the backward pass"),
    when(clears > 0, 0, frag_saved * (saved + kept_inputs))
    + frag_score * when(score_copies > 0, 1, 0) * tokens * heads * sequence,
)
shard_lost = _p.let(
    "sharding_lost", "F_W", BYTES, N_("lost between gathered weights"), gathers * full * frag_shard * resident
)
leftover = _p.let(
    "step_lost",
    "F_st",
    BYTES,
    N_("activations' blocks that the step cannot reuse"),
    when(clears > 0, frag_clear, frag_step) * (Max(peak_loss + loss_lost, peak_first) - resident),
)
multi = _p.let(
    "multi_gpu", "x_n", "", N_("1 if GPUs talk to each other"), when((gpus - 1) * (1 - split_layers) > 0, 1, 0)
)
wanted = _p.let(
    "wanted",
    "B_want",
    BYTES,
    N_("what the allocator would reserve on a card without limit"),
    Max(peak_loss + loss_lost, peak_first + backward_lost, peak_last + backward_lost, peak_step + leftover)
    + shard_lost
    + base_bytes * (1 - clears),
)
reserved = _p.let(
    "reserved",
    "B_res",
    BYTES,
    N_("reserved memory"),
    Max(allocated, Min(wanted, usable - context_bytes - multi * nccl)),
    holds=N_("Before it fails, PyTorch gives unused blocks back: reserved memory stops at the card's size."),
)
_p.let("device", "B_dev", BYTES, N_("memory that nvidia-smi shows"), reserved + context_bytes + multi * nccl)
_p.let(
    "need",
    "B_need",
    BYTES,
    N_("least memory that a card must have"),
    Max(activations_peak + (need_extra + multi * need_multi) * (activations_peak - resident), peak_step)
    + context_bytes
    + multi * nccl,
    holds=N_("Learned from runs that failed and from the longest that did not."),
)
