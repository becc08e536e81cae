"""Memory of inference: weights, KV cache, the working set of a pass, and the highest of three moments.

A run has three moments: loading, the pass over the prompt, and the last step of generating. Sizes are bytes over all
GPUs together unless they are called "of one GPU". The working sets were counted on a pass of transformers on a CPU,
storage by storage.
"""

from __future__ import annotations

import sympy
from sympy import Max, Min, ceiling

from generator.formulas.algebra import Program, when
from generator.formulas.card import MIB, card_memory
from generator.formulas.shape import PARAMETERS, shape
from generator.i18n import N_

INFERENCE_MEMORY = Program("inference_memory", N_("Memory of inference"))
_p = INFERENCE_MEMORY
BYTES, BITS, TOKENS, WEIGHTS = N_("bytes"), N_("bits"), N_("tokens"), N_("weights")
KIB = 1024

(
    layers, hidden, heads, head_dim, q_width, k_width, v_width, ffn, mlp_inputs, dense_layers, vocab, max_context,
    parameters, linear, unquantized, values, outputs, downs, matrix_inputs, matrix, embedding_parameters,
    head_parameters, table, qk_norm, experts, per_token, expert_ffn, shared_ffn, kv_values, window, window_share,
) = _p.use(shape(
    "layers", "hidden", "heads", "head_dim", "q_width", "k_width", "v_width", "ffn", "mlp_inputs", "dense_layers",
    "vocab", "max_context", "parameters", "linear_parameters", "unquantized_parameters", "value_parameters",
    "output_parameters", "down_parameters", "matrix_inputs", "matrix_parameters", "embedding_parameters",
    "head_parameters", "head_matmul_parameters", "query_key_norm", "experts", "experts_per_token", "expert_ffn",
    "shared_ffn", "kv_values_per_layer", "window", "window_share",
))  # fmt: skip

# --- the question in numbers
prompt = _p.given("prompt", "s_p", TOKENS, N_("length of a prompt"))
generated = _p.given("generated", "s_g", TOKENS, N_("tokens generated for each sequence"))
batch = _p.given("batch", "b", "", N_("sequences at once"))
context_length = _p.given(
    "context_length", "s_max", TOKENS, N_("context that the engine was started with; 0 = as needed"),
)  # fmt: skip
gpus = _p.given("gpus", "n", "", N_("number of GPUs"))
group_size = _p.given(
    "group_size", "g*", WEIGHTS, N_("weights that share a scale; 0 = the format's usual, -1 = a whole row"),
)  # fmt: skip
weight_bits = _p.given(
    "weight_bits", "β*", BITS, N_("bits of a weight where the format leaves them open; 0 = the format's own"),
)  # fmt: skip
# --- what the named choices stand for (generator/formulas/options)
bits_base = _p.given("bits_base", "β_w", BITS, N_("bits of a weight of queries, keys, gate and up"))
bits_v = _p.given("bits_v", "β_v", BITS, N_("bits of a weight of the values"))
bits_o = _p.given("bits_o", "β_o", BITS, N_("bits of a weight of the attention output"))
bits_down = _p.given("bits_down", "β_d", BITS, N_("bits of a weight of the down projection"))
bits_head = _p.given("bits_head", "β_V", BITS, N_("bits of a weight of the output head"))
bits_embedding = _p.given("bits_embedding", "β_E", BITS, N_("bits of a weight of the embedding"))
bits_rest = _p.given("bits_rest", "β_r", BITS, N_("bits of every other weight"))
group_bits = _p.given("group_bits", "β_g", BITS, N_("scale and zero point of a group"))
default_group = _p.given("default_group", "g_0", WEIGHTS, N_("weights that share a scale in this format"))
index_bits = _p.given("index_bits", "β_i", BITS, N_("group index of each input of a matrix"))
act = _p.given("activation_bytes", "β", BYTES, N_("bytes of an activation"))
scratch_bytes = _p.given(
    "scratch_bytes", "m_s", BYTES, N_("kept by the format's kernels for each weight of the largest matrix"),
)  # fmt: skip
unpack_bytes = _p.given("unpack_bytes", "m_u", BYTES, N_("bytes that a weight takes while its matrix is unpacked"))
unpack_from = _p.given("unpack_from", "s_u", TOKENS, N_("tokens from which matrices are unpacked"))
extra_copies = _p.given("extra_mlp_copies", "m_8", "", N_("more live tensors in the MLP with this format's kernels"))
second_head = _p.given("second_head", "x_2", "", N_("1 if a tied head is loaded a second time"))
transformers = _p.given("transformers_code", "x_hf", "", N_("1 if the engine runs the model classes of transformers"))
library = _p.given(
    "library_kernels", "x_lib", "", N_("1 if it uses the kernels that transformers uses for quantized weights"),
)  # fmt: skip
embeds = _p.given("embeds_on_gpu", "x_E", "", N_("1 if the input embedding is on the GPU"))
reserves = _p.given("reserves_kv", "x_kv", "", N_("1 if the KV cache has its full length from the start"))
pass_tokens = _p.given("pass_tokens", "s_c", TOKENS, N_("tokens of a prompt that pass the model at once; 0 = all"))
wide_copies = _p.given("wide_copies", "m_f", "", N_("live tensors of the MLP's width"))
narrow_copies = _p.given("narrow_copies", "m_h", "", N_("live tensors of the hidden size"))
engine_scores = _p.given("score_bytes", "m_a", BYTES, N_("bytes for each attention score that the engine writes"))
resident_bytes = _p.given(
    "resident_bytes", "m_r", BYTES, N_("kept by the engine for each weight of the largest matrix"),
)  # fmt: skip
wide_buffer = _p.given(
    "wide_buffer_bytes", "m_b", BYTES, N_("kept for each token of a pass and element of the MLP's width"),
)  # fmt: skip
pytorch_blocks = _p.given("pytorch_blocks", "x_PT", "", N_("1 if PyTorch's allocator holds the weights"))
has_workspace = _p.given("cublas_workspace", "x_ws", "", N_("1 if cuBLAS has its workspace from that allocator"))
between = _p.given("between_steps", "x_bs", "", N_("1 if the peak is read between steps"))
graph_tokens = _p.given("graph_tokens", "s_ub", TOKENS, N_("tokens of llama.cpp's micro-batch; 0 = another engine"))
pool_share = _p.given(
    "pool_share", "σ_pool", "", N_("share of the card that the engine takes at the start; 0 = what it needs"),
)  # fmt: skip
whole_logits = _p.given("whole_logits_kept", "x_V", "", N_("1 if this release makes logits of the whole prompt"))
layer_rotary = _p.given("layer_rotary", "x_rot", "", N_("1 if every layer has its own table of positions"))
repeats_kv = _p.given("repeats_kv", "x_rep", "", N_("1 if keys and values are copied to every query head in a step"))
batched_experts = _p.given("batched_experts", "x_exp", "", N_("1 if all routed tokens pass the experts at once"))
drops_window = _p.given("drops_window", "x_win", "", N_("1 if layers with a sliding window keep only its tokens"))
kv_format = _p.given("kv_format_share", "σ_kv", "", N_("bytes of a cached value as a share of an activation's"))
score_copies = _p.given(
    "score_copies", "m_sc", "", N_("copies of the attention scores; 0 = attention never writes them"),
)  # fmt: skip
# --- fitted (data/calibration/inference-memory.json)
slack_transformers = _p.given("slack_transformers", "φ_hf", BYTES, N_("what nvidia-smi shows on top, transformers"))
slack_llama_cpp = _p.given("slack_llama_cpp", "φ_cpp", BYTES, N_("what nvidia-smi shows on top, llama.cpp"))
slack_other = _p.given("slack_other", "φ_any", BYTES, N_("what nvidia-smi shows on top, other engines"))
# --- the card
_p.part(
    "card", N_("The card"),
    N_("What the driver leaves of the memory on the box, and what a process takes before its first tensor."),
)  # fmt: skip
card_bytes, _, context_bytes = card_memory(_p)
capability = _p.given("compute_capability", "cc", "", N_("compute capability of the card; 0 = no card"))

_p.part(
    "weights", N_("Weights"),
    N_("Every matrix in its format, with the constants that a group of quantized weights shares."),
)  # fmt: skip
tied = _p.let("tied", "x_tied", "", N_("1 if the output head is the input embedding"), when(head_parameters > 0, 0, 1))
group = _p.let("group", "g", WEIGHTS, N_("weights that share a scale"), when(group_size > 0, group_size, default_group))
constant_bits = _p.let(
    "constant_bits", "β_c", BITS, N_("scale and zero point, for each weight"),
    when(group_size < 0, 0, group_bits / group), ("QLORA_PAPER", "EXLLAMAV2_3"),
)  # fmt: skip
quantized = _p.let(
    "quantized_parameters", "N_q", PARAMETERS, N_("parameters in matrices that quantization touches"),
    linear - unquantized,
)  # fmt: skip
payload_bits = _p.let(
    "payload_bits", "β_q", BITS, N_("bits of such a weight, in the mean of all matrices"),
    when(weight_bits > 0, weight_bits,
         (bits_base * (quantized - values - outputs - downs) + bits_v * values + bits_o * outputs + bits_down * downs)
         / quantized),
    ("LLAMA_CPP_CODE",), N_("llama.cpp stores some matrices in more bits than others."),
)  # fmt: skip
matrices = _p.let(
    "matrix_bytes", "B_q", BYTES, N_("matrices of all layers"),
    quantized * (payload_bits + constant_bits) / 8 + matrix_inputs * index_bits / 8, ("AUTOGPTQ_CODE", "AUTOAWQ_CODE"),
)  # fmt: skip
embedding = _p.let(
    "embedding_bytes", "B_E", BYTES, N_("input embedding"),
    embedding_parameters * bits_embedding / 8 * embeds,
)  # fmt: skip
head = _p.let(
    "head_bytes", "B_V", BYTES, N_("output head"),
    table * bits_head / 8 * (1 - tied * embeds),
    holds=N_("A tied head is the embedding itself, unless the embedding stays in host memory."),
)  # fmt: skip
other = _p.let(
    "other_bytes", "B_o", BYTES, N_("norms, biases and routers"),
    (parameters - quantized - embedding_parameters - head_parameters) * bits_rest / 8,
)  # fmt: skip
weights = _p.let("weights", "B_W", BYTES, N_("weights"), matrices + embedding + head + other)

_p.part("rounding", N_("Rounding"), N_("What PyTorch's allocator adds to large tensors."))
BLOCK = 2 * MIB


def _beyond(name: str, sign: str, meaning: str, size: sympy.Expr) -> sympy.Expr:
    """Bytes that count as allocated beyond a tensor of ``size``: its segment ends on 2 MiB, small rests stay."""
    gap = _p.let(name, sign, BYTES, meaning, BLOCK * ceiling(size / BLOCK) - size, ("PYTORCH_ALLOCATOR",))
    return when(size >= 10 * MIB, 1, 0) * when(gap <= MIB, gap, 0)


width = _p.let("mlp_width", "f", "", N_("width of the MLP that all tokens pass"), Max(ffn, shared_ffn))
payload = payload_bits / 8
of_queries = _beyond("gap_queries", "δ_q", N_("from the query matrix to the next 2 MiB"), hidden * q_width * payload)
of_keys = _beyond("gap_keys", "δ_k", N_("from the key matrix to the next 2 MiB"), hidden * k_width * payload)
of_mlp = _beyond("gap_mlp", "δ_f", N_("from a matrix of the MLP to the next 2 MiB"), hidden * width * payload)
of_table = _beyond("gap_table", "δ_V", N_("from the embedding to the next 2 MiB"), table * bits_embedding / 8)
lost = _p.let(
    "rounding", "B_2MiB", BYTES, N_("rounding of PyTorch's allocator"),
    pytorch_blocks * (2 * layers * (of_queries + of_keys) + dense_layers * (mlp_inputs + 1) * of_mlp
                      + (2 - tied) * of_table),
    ("PYTORCH_ALLOCATOR",),
    N_("From 10 MiB on a tensor has its own blocks of 2 MiB; a rest of up to 1 MiB is not split off."),
)  # fmt: skip

_p.part("buffers", N_("Buffers and context"), N_("What an engine allocates once and keeps."))
positions = _p.let(
    "rotary_positions", "s_rot", TOKENS, N_("positions in a table of cosines and sines"),
    when(max_context > 0, Min(max_context, 32768), 4096),
)  # fmt: skip
rotary = _p.let(
    "rotary_tables", "B_rot", BYTES, N_("tables of positions in every layer"),
    transformers * layer_rotary * layers * positions * head_dim * 2 * act, ("HF_TRANSFORMERS_CODE",),
)  # fmt: skip
hopper = when(capability >= 9, 1, 0) * when(capability < 10, 1, 0)
workspace = _p.let(
    "workspace", "B_ws", BYTES, N_("workspace of cuBLAS"),
    has_workspace * gpus * (8320 * KIB + hopper * (32 * MIB - 8320 * KIB)),
    ("PYTORCH_ALLOCATOR",), N_("8,320 KiB, on compute capability 9.0 32 MiB."),
)  # fmt: skip
scratch = _p.let(
    "scratch", "B_s", BYTES, N_("room for the largest matrix in 16 bits"),
    (library * scratch_bytes + resident_bytes) * matrix * gpus, ("AUTOGPTQ_CODE", "EXLLAMA_CODE"),
)  # fmt: skip
context = _p.let("context", "s", TOKENS, N_("context"), when(context_length > 0, context_length, prompt + generated))
state = _p.let(
    "wide_buffer", "B_b", BYTES, N_("buffers for one pass"),
    wide_buffer * Min(pass_tokens, context) * width * gpus, ("EXLLAMA_CODE",),
)  # fmt: skip
graph = _p.let(
    "compute_buffer", "B_ub", BYTES, N_("compute buffer of llama.cpp"),
    graph_tokens * 4 * Max(heads * context + 6 * hidden, vocab + hidden) * gpus,
    ("LLAMA_CPP_CODE",), N_("Without FlashAttention: FP32 scores of one micro-batch, or its logits."),
)  # fmt: skip
buffers = _p.let("buffers", "B_buf", BYTES, N_("buffers and workspaces"), rotary + workspace + scratch + state + graph)

_p.part("cache", N_("KV cache"), N_("Keys and values of every token that the model looks back on."))
windowed = _p.let(
    "windowed", "σ_win", "", N_("share of the layers that keep only a window"),
    transformers * drops_window * window_share,
)  # fmt: skip
kv_token = _p.let("kv_per_token", "B_t", BYTES, N_("KV cache of one token"), layers * kv_values * act * kv_format)


def _cached(tokens: sympy.Expr) -> sympy.Expr:
    return batch * kv_token * ((1 - windowed) * tokens + windowed * Min(tokens, window))


kv_prompt = _p.let(
    "kv_prompt", "B_kv1", BYTES, N_("KV cache while the prompt passes"),
    _cached(when(reserves > 0, context, prompt)),
)  # fmt: skip
kv_cache = _p.let(
    "kv_cache", "B_kv", BYTES, N_("KV cache at the end"),
    _cached(when(reserves > 0, context, prompt + generated)),
)  # fmt: skip

_p.part(
    "prompt", N_("The pass over the prompt"),
    N_("The working set of one layer with all tokens of a pass, and the logits after the last layer."),
)  # fmt: skip
tokens = _p.let(
    "pass_size", "T", TOKENS, N_("tokens that pass the model at once"),
    batch * when(pass_tokens > 0, Min(prompt, pass_tokens), prompt),
)  # fmt: skip
stream = _p.let("stream_bytes", "B_x", BYTES, N_("one tensor of the hidden size"), tokens * hidden * act)
position_set = _p.let(
    "position_set", "B_pos", BYTES, N_("cosines and sines of the prompt, and its tokens"),
    tokens * (2 * head_dim * act + 8),
)  # fmt: skip
unpacked = _p.let(
    "unpacked", "B_u", BYTES, N_("the largest matrix, unpacked"),
    library * when(tokens >= unpack_from, unpack_bytes * matrix, 0),
)  # fmt: skip
copies = _p.let(
    "live_wide", "m", "", N_("live tensors of the MLP's width, by kind of MLP"),
    when(mlp_inputs < 2, 2, wide_copies + library * extra_copies),
)  # fmt: skip
mlp_set = _p.let(
    "mlp_set", "B_mlp", BYTES, N_("MLP at its worst moment"),
    narrow_copies * stream + Max(copies * tokens * width * act, (copies - 1) * tokens * width * act + unpacked),
    ("M_TRANSFORMERS",),
    N_("Activated gate, up projection and their product; or two of them beside an unpacked matrix."),
)  # fmt: skip
expert_set = _p.let(
    "expert_set", "B_exp", BYTES, N_("experts at their worst moment"),
    when(experts > 0,
         narrow_copies * stream + 10 * tokens * experts
         + tokens * act * when(transformers * batched_experts > 0, per_token * (3 * hidden + 2 * expert_ffn),
                               3 * hidden + copies * expert_ffn),
         0),
    ("HF_TRANSFORMERS_CODE",), N_("One expert after the other: all tokens may go to the same one."),
)  # fmt: skip
attention_set = _p.let(
    "attention_set", "B_att", BYTES, N_("attention that writes no scores"),
    tokens * act * Max(3 * hidden + 3 * q_width + k_width + v_width,
                       when(qk_norm > 0, 3 * hidden + sympy.Rational(9, 2) * q_width, 0)),
    ("M_TRANSFORMERS",), N_("SDPA and FlashAttention."),
)  # fmt: skip
per_score = _p.let(
    "per_score", "β_s", BYTES, N_("bytes for each attention score"),
    engine_scores + transformers * when(score_copies > 0, 10, 0), ("M_TRANSFORMERS",),
)  # fmt: skip
score_set = _p.let(
    "score_set", "B_sc", BYTES, N_("attention that writes its scores"),
    when(per_score > 0,
         (per_score * heads + 2) * tokens * Min(prompt, context) + narrow_copies * stream + tokens * q_width * act, 0),
    ("M_TRANSFORMERS",),
)  # fmt: skip
layer_set = _p.let(
    "layer_set", "B_L", BYTES, N_("one layer with all its tokens"),
    position_set + Max(mlp_set, expert_set, attention_set, score_set),
)  # fmt: skip
logit_tokens = _p.let(
    "logit_tokens", "T_V", TOKENS, N_("tokens whose logits are made"),
    when(transformers * whole_logits > 0, tokens, batch), ("HF_TRANSFORMERS_CODE",),
)  # fmt: skip
logit_set = _p.let(
    "logit_set", "B_log", BYTES, N_("logits, also in FP32"),
    logit_tokens * (vocab * (act + 4) + hidden * act),
)  # fmt: skip
moved_set = _p.let(
    "moved_logits", "B_log1", BYTES, N_("logits that come back to the first of several GPUs"),
    logit_tokens * vocab * 4,
)  # fmt: skip
later_set = _p.let(
    "later_layer_set", "B_L2", BYTES, N_("one layer on a GPU that has not the embedding's result"),
    layer_set - stream,
)  # fmt: skip
prompt_logits = _p.let(
    "prompt_logits", "B_p2", BYTES, N_("logits at the peak of the prompt"),
    when(gpus > 1, when(moved_set > layer_set, moved_set, 0) + when(logit_set > later_set, logit_set, 0),
         when(logit_set > layer_set, logit_set, 0)),
    holds=N_("Several GPUs one after the other: each has a peak of its own, the last one makes the logits."),
)  # fmt: skip
prompt_work = _p.let(
    "prompt_work", "B_p1", BYTES, N_("working set at the peak of the prompt"),
    when(gpus > 1,
         when(moved_set > layer_set, 0, layer_set) + when(logit_set > later_set, 0, later_set)
         + Max(gpus - 2, 0) * later_set,
         when(logit_set > layer_set, 0, layer_set)),
)  # fmt: skip
prompt_peak = _p.let(
    "prompt_peak", "B_P", BYTES, N_("KV cache and work at the peak of the prompt"),
    kv_prompt + prompt_work + prompt_logits,
)  # fmt: skip

_p.part(
    "step", N_("The last step"),
    N_("The cache is at its longest, the work is that of one token for each sequence."),
)  # fmt: skip
alone = _p.let(
    "steps_count", "x_st", "", N_("1 if the work of a step is seen: no fixed buffer, no reading between steps"),
    (1 - between) * when(graph_tokens > 0, 0, 1),
)  # fmt: skip
length = _p.let("length", "T_end", TOKENS, N_("tokens of all sequences at the end"), batch * (prompt + generated))
step_work = _p.let(
    "step_work", "B_g1", BYTES, N_("working set of the last step"),
    alone * ((1 - reserves) * length * k_width * act
             + transformers * repeats_kv * when(q_width > k_width, 2 * length * q_width * act, 0)),
    ("HF_TRANSFORMERS_CODE",),
    N_("A growing cache copies the keys of one layer; old releases also repeat keys and values."),
)  # fmt: skip
step_logits = _p.let(
    "step_logits", "B_g2", BYTES, N_("logits of the last step and their sampling"),
    when(graph_tokens > 0, 0, batch * vocab * (act + when(between > 0, 4, 24))), ("M_TRANSFORMERS",),
)  # fmt: skip
step_peak = _p.let(
    "step_peak", "B_G", BYTES, N_("KV cache and work of the last step"),
    kv_cache + step_work + step_logits,
)  # fmt: skip

_p.part("highest", N_("The highest moment"), N_("Loading, the prompt or the last step: the highest one counts."))
in_prompt = _p.let(
    "in_prompt", "x_P", "", N_("1 if the peak of the run is in the prompt, 0 at the last step"),
    alone * when(prompt_peak > step_peak, 1, 0),
)  # fmt: skip
work_peak = _p.let(
    "work_peak", "B_R", BYTES, N_("KV cache and work at the peak of the run"),
    when(in_prompt > 0, prompt_peak, step_peak),
)  # fmt: skip
loading = _p.let(
    "loading", "B_2", BYTES, N_("second copy of a tied head while weights load"),
    library * second_head * tied * table * bits_rest / 8, ("AUTOAWQ_CODE",),
)  # fmt: skip
load_peak = _p.let("load_peak", "B_load", BYTES, N_("peak of loading"), weights + lost + loading)
run_peak = _p.let("run_peak", "B_run", BYTES, N_("peak of the run"), weights + lost + buffers + work_peak)
at_loading = _p.let(
    "at_loading", "x_load", "", N_("1 if memory is highest while weights load"), when(load_peak > run_peak, 1, 0)
)
at_prompt = _p.let(
    "at_prompt", "x_prompt", "", N_("1 if memory is highest while the prompt passes"), (1 - at_loading) * in_prompt
)
at_end = _p.let(
    "at_generation", "x_gen", "", N_("1 if memory is highest at the last step"), (1 - at_loading) * (1 - in_prompt)
)

_p.part("gpu", N_("Of one GPU"), N_("The breakdown, what nvidia-smi shows, and what a card must have."))
_p.let("weights_per_gpu", "b_W", BYTES, N_("weights"), weights / gpus, term=True)
_p.let("rounding_per_gpu", "b_2MiB", BYTES, N_("rounding of PyTorch's allocator"), lost / gpus, term=True)
_p.let("kv_per_gpu", "b_kv", BYTES, N_("KV cache"), (at_prompt * kv_prompt + at_end * kv_cache) / gpus, term=True)
_p.let(
    "work_per_gpu", "b_L", BYTES, N_("working set of a layer"),
    (at_prompt * prompt_work + at_end * step_work) / gpus, term=True,
)  # fmt: skip
_p.let(
    "logits_per_gpu", "b_log", BYTES, N_("logits"),
    (at_prompt * prompt_logits + at_end * step_logits) / gpus, term=True,
)  # fmt: skip
_p.let("buffers_per_gpu", "b_buf", BYTES, N_("buffers and workspaces"), (1 - at_loading) * buffers / gpus, term=True)
_p.let(
    "loading_per_gpu", "b_2", BYTES, N_("second copy of a tied head while weights load"),
    at_loading * loading / gpus, term=True,
)  # fmt: skip
allocated = _p.let("allocated", "b_alloc", BYTES, N_("peak of allocated memory"), Max(load_peak, run_peak) / gpus)
reserved = _p.let(
    "reserved", "b_res", BYTES, N_("reserved memory"),
    allocated,
    holds=N_("At least: what the allocator keeps beyond it can be given back."),
)  # fmt: skip
slack = _p.let(
    "slack", "b_φ", BYTES, N_("what nvidia-smi shows on top"),
    when(graph_tokens > 0, slack_llama_cpp, when(library > 0, slack_transformers, slack_other)),
)  # fmt: skip
_p.let(
    "device", "b_dev", BYTES, N_("memory that nvidia-smi shows"),
    when(pool_share > 0, pool_share * card_bytes, reserved + context_bytes + slack),
    ("VLLM_CACHE_CONFIG", "TRTLLM_KV_CONFIG"), N_("Engines that take a share of the card show that share."),
)  # fmt: skip
_p.let("need", "b_need", BYTES, N_("least memory that a card must have"), allocated + context_bytes)
