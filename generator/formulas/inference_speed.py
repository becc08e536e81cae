"""Speed of inference: the seconds of one step of generating, of the pass over the prompt, and what follows from them.

A step reads every weight that its tokens need and the KV cache of all sequences, each at the speed that the memory
delivers and the multiprocessors take in. Small kernels take a number of clock cycles a layer whatever the bandwidth is,
and where Python launches them, the slower of GPU and host sets the pace. Sequences whose cache does not fit wait for a
later wave. The pass over the prompt multiplies at the rate that the card attains in matrix products.

Rates of whole runs count all sequences on all GPUs.
"""

from __future__ import annotations

import sympy
from sympy import Max, Min, Rational, ceiling, floor, log

from generator.formulas.algebra import Program, when
from generator.formulas.shape import shape
from generator.i18n import N_

INFERENCE_SPEED = Program("inference_speed", N_("Speed of inference"))
_p = INFERENCE_SPEED
BYTES, BITS, TOKENS, SECONDS = N_("bytes"), N_("bits"), N_("tokens"), N_("s")
FLOP, RATE, SPEED, PER_CLOCK = N_("FLOP"), N_("FLOP/s"), N_("bytes/s"), N_("bytes/cycle")
PER_BYTE = N_("s/byte")
TOKENS_PER_SECOND = N_("tokens/s")
GIB = 2**30

(
    layers, hidden, heads, q_width, out_width, kv_values, parameters, linear, unquantized, values, outputs, downs,
    embedding, head, table, expert, experts, per_token, moe_layers, window, window_share,
) = _p.use(shape(
    "layers", "hidden", "heads", "q_width", "out_width", "kv_values_per_layer", "parameters", "linear_parameters",
    "unquantized_parameters", "value_parameters", "output_parameters", "down_parameters", "embedding_parameters",
    "head_parameters", "head_matmul_parameters", "expert_parameters", "experts", "experts_per_token", "moe_layers",
    "window", "window_share",
))  # fmt: skip

# --- the question in numbers
prompt = _p.given("prompt", "s_p", TOKENS, N_("length of a prompt"))
generated = _p.given("generated", "s_g", TOKENS, N_("tokens generated for each sequence"))
batch = _p.given("batch", "b", "", N_("sequences at once"))
gpus = _p.given("gpus", "n", "", N_("GPUs"))
asked_ways = _p.given(
    "tensor_parallel", "n_TP*", "", N_("GPUs that share each matrix; 0 = as the engine does by itself"),
)  # fmt: skip
group_size = _p.given(
    "group_size", "g*", "", N_("weights that share a scale; 0 = the format's usual, -1 = a whole row"),
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
group_bits = _p.given("group_bits", "β_g", BITS, N_("scale and zero point of a group"))
default_group = _p.given("default_group", "g_0", "", N_("weights that share a scale in this format"))
act = _p.given("activation_bytes", "β", BYTES, N_("bytes of an activation"))
kv_format = _p.given("kv_format_share", "σ_kv", "", N_("bytes of a cached value as a share of an activation's"))
fp8_products = _p.given("fp8_products", "x_8", "", N_("1 if the format can be multiplied as it is in FP8"))
integer_products = _p.given("integer_products", "x_dp4a", "", N_("1 if kernels multiply its blocks as integers"))
packed = _p.given(
    "packed_weights", "x_q", "", N_("1 if weights are unpacked to 16 bits before Tensor Cores multiply them"),
)  # fmt: skip
serving = _p.given("serving_engine", "x_srv", "", N_("1 for engines that serve batches and launch a step as a whole"))
chunk = _p.given(
    "prompt_chunk", "s_c", TOKENS, N_("tokens of one prompt that pass the model at once; 0 = all of all sequences"),
)  # fmt: skip
half_sums = _p.given("half_accumulation", "x_16", "", N_("1 if products are summed up in FP16"))
writes_scores = _p.given("writes_prompt_scores", "x_sc", "", N_("1 if attention writes its scores to memory"))
by_stages = _p.given("layer_stages", "x_st", "", N_("1 if several GPUs hold the layers one after the other by default"))
copies_cache = _p.given(
    "copies_cache", "x_cat", "", N_("1 if every step copies the KV cache and repeats it for all heads"),
)  # fmt: skip
expert_loop = _p.given("expert_loop", "x_exp", "", N_("1 if Python visits one expert after the other"))
# --- the card
card_bytes = _p.given("card_bytes", "B_card", BYTES, N_("memory of the card"))
bandwidth = _p.given("bandwidth", "BW", SPEED, N_("memory bandwidth of the card"))
sms = _p.given("sms", "n_SM", "", N_("streaming multiprocessors of the card"))
clock = _p.given("clock", "f", "Hz", N_("boost clock of the card, or else the highest of its class"))
rate_16 = _p.given(
    "rate_tensor16", "R_16", RATE,
    N_("rated BF16 or else FP16 on Tensor Cores with an FP32 accumulator; 0 = has none"),
)  # fmt: skip
rate_half = _p.given(
    "rate_half_sums", "R_16h", RATE, N_("rated FP16 on Tensor Cores with an FP16 accumulator; 0 = has none"),
)  # fmt: skip
rate_fp8 = _p.given("rate_fp8", "R_8", RATE, N_("rated FP8; 0 = has none"))
rate_int8 = _p.given("rate_int8", "R_int8", RATE, N_("rated INT8; 0 = has none"))
rate_fp32 = _p.given("rate_fp32", "R_32", RATE, N_("rated FP32 outside the Tensor Cores"))
nvlink = _p.given("nvlink", "B_NVL", SPEED, N_("NVLink of the card, both directions; 0 = has none"))
joined = _p.given(
    "nvlink_joined", "x_NVL", "",
    N_("1 if the card's board joins GPUs by NVLink, without a bridge that may be missing"),
)  # fmt: skip
pcie = _p.given("pcie", "B_PCIe", SPEED, N_("PCIe of the card, one direction"))
attained_16 = _p.given(
    "attained_16", "η_16", "", N_("share of its rated speed that the card attains in the best BF16 or FP16 product"),
)  # fmt: skip
attained_8 = _p.given("attained_8", "η_8", "", N_("the same for FP8"))
attained_32 = _p.given("attained_fp32", "η_32", "", N_("the same for FP32"))
# --- fitted (data/calibration/inference-speed.json)
dram_share = _p.given("dram_share", "κ_BW", "", N_("share of the rated bandwidth that reading attains"))
intake_16 = _p.given(
    "intake_16", "κ_in", PER_CLOCK, N_("bytes of 16-bit weights that a multiprocessor takes in a cycle"),
)  # fmt: skip
intake_exponent = _p.given(
    "intake_exponent", "κ_β", "",
    N_("power of the bits with which that falls, at most 1: then it would be a number of weights"),
)  # fmt: skip
kernel_speed = _p.given("kernel_speed", "κ_k", "", N_("speed of the engine's kernels against that"))
format_speed = _p.given("format_speed", "κ_f", "", N_("speed of its kernels for this format against its others"))
cache_intake = _p.given(
    "cache_intake", "κ_kv", PER_CLOCK, N_("bytes of the KV cache that a multiprocessor takes in a cycle"),
)  # fmt: skip
layer_cycles = _p.given("layer_cycles", "κ_L", N_("cycles"), N_("clock cycles for the small kernels of a layer"))
layer_host = _p.given("layer_host", "τ_L", SECONDS, N_("time in which Python launches a layer; 0 = it launches none"))
format_host = _p.given("format_host", "κ_τ", "", N_("the same with this format, against 16 bits"))
expert_host = _p.given("expert_host", "τ_E", SECONDS, N_("time of Python for one expert"))
step_host = _p.given("step_host", "τ_1", SECONDS, N_("time between two steps: sampling and scheduling"))
sequence_host = _p.given("sequence_host", "τ_b", SECONDS, N_("the same for each sequence"))
nvlink_latency = _p.given("nvlink_latency", "τ_NVL", SECONDS, N_("delay of an all-reduce over NVLink between two GPUs"))
pcie_latency = _p.given("pcie_latency", "τ_PCIe", SECONDS, N_("the same over PCIe"))
link_share = _p.given("link_share", "κ_net", "", N_("share of the rated speed of a link that is attained"))
stage_latency = _p.given("stage_latency", "τ_st", SECONDS, N_("delay from one group of layers to the GPU of the next"))
matmul_share = _p.given("matmul_share", "κ_mm", "", N_("the engine's matrix products against the card's best"))
attention_rate = _p.given(
    "prompt_attention_share", "κ_a", "", N_("attention of the prompt against the card's best matrix product"),
)  # fmt: skip
weight_passes = _p.given("weight_passes", "κ_W", "", N_("times that a pass moves all its weights, in 16 bits"))
unpack_passes = _p.given("unpack_passes", "κ_q", "", N_("the same for unpacking"))
tile_loss = _p.given("tile_loss", "κ_t", "", N_("weight of the multiprocessors that the last tiles leave idle"))
score_passes = _p.given("score_passes", "κ_sc", "", N_("times that written scores are moved"))
pipeline_loss = _p.given("pipeline_loss", "κ_PP", "", N_("time of a pipeline against its formula"))

_p.part("rates", N_("GPUs and their speed"), N_("How the GPUs share the work, and how fast they compute and read."))
ways = _p.let(
    "tensor_ways", "n_TP", "", N_("GPUs that share each matrix"),
    when(asked_ways > 0, asked_ways, when(by_stages > 0, 1, gpus)),
)  # fmt: skip
stages = _p.let(
    "stages", "n_st", "", N_("groups of GPUs that hold the layers one after the other"),
    gpus / Max(ways, 1),
)  # fmt: skip
rate = _p.let(
    "rate", "R", RATE, N_("speed of the card's best matrix product"),
    when(rate_16 > 0, rate_16 * attained_16, rate_fp32 * attained_32), ("C_STAS_MAMF", "C_ZZC_TORCH_MATMUL"),
    N_("A card without a measurement has what its power and class allow."),
)  # fmt: skip
prompt_rate = _p.let(
    "prompt_rate", "R_p", RATE, N_("the same for the products of the prompt"),
    when(fp8_products * serving * rate_fp8 > 0, rate_fp8 * attained_8,
         when(half_sums * rate_half > 0, rate_half * attained_16,
              when(rate_16 > 0, rate, when(integer_products * rate_int8 > 0, rate_int8 / 2 * attained_32, rate)))),
    holds=N_("Sums in FP16 are twice as fast on a GeForce; integer products need as much time again for their scales."),
)  # fmt: skip
read_speed = _p.let("read_speed", "B_D", SPEED, N_("bandwidth that reading attains"), dram_share * bandwidth)
SHARPNESS = 3


def _both_limits(name: str, sign: str, meaning: str, intake: sympy.Expr) -> sympy.Symbol:
    """Time for a byte: the memory's and that of all multiprocessors, joined so that the longer one counts."""
    return _p.let(
        name, sign, PER_BYTE, meaning,
        (read_speed**-SHARPNESS + (intake * sms * clock) ** -SHARPNESS) ** Rational(1, SHARPNESS),
        holds=N_("Two limits: what the memory delivers and what the multiprocessors take in."),
    )  # fmt: skip


_p.part("bytes", N_("Bytes"), N_("What has to be read: weights and KV cache."))
group = when(group_size > 0, group_size, default_group)
quantized = _p.let(
    "quantized_parameters", "N_q", N_("parameters"), N_("parameters in matrices that quantization touches"),
    linear - unquantized,
)  # fmt: skip
bits = _p.let(
    "body_bits", "β_q", BITS, N_("bits of a weight in the layers, scales included"),
    when(weight_bits > 0, weight_bits,
         (bits_base * (quantized - values - outputs - downs) + bits_v * values + bits_o * outputs + bits_down * downs)
         / quantized) + when(group_size < 0, 0, group_bits / group),
    ("LLAMA_CPP_CODE", "QLORA_PAPER"),
)  # fmt: skip
body = _p.let("body_parameters", "N_b", N_("parameters"), N_("parameters of all layers"), parameters - embedding - head)
visited = _p.let(
    "visited_share", "σ_E", "", N_("share of the experts that one token visits"),
    Min(1, per_token / Max(experts, 1)),
)  # fmt: skip
active = _p.let(
    "active_body", "N_A", N_("parameters"), N_("parameters of the layers that one token passes"),
    body - expert * (1 - visited),
)  # fmt: skip
weights = _p.let(
    "weights", "B_W", BYTES, N_("weights"),
    body * bits / 8 + (embedding * bits_embedding + head * bits_head) / 8,
)  # fmt: skip
kv_token = _p.let("kv_per_token", "B_t", BYTES, N_("KV cache of one token"), layers * kv_values * act * kv_format)

_p.part("waves", N_("Waves"), N_("Sequences whose KV cache does not fit wait for a later wave."))
room = _p.let(
    "kv_room", "B_room", BYTES, N_("memory for the KV cache"),
    Max(Rational(9, 10) * card_bytes * gpus - weights - 2 * GIB * gpus, 0), ("VLLM_CACHE_CONFIG",),
    N_("Nine tenths of the card are used, 2 GiB of them for the work; tried: 1 to 4 GiB."),
)  # fmt: skip
fitting = _p.let("fitting_sequences", "b_max", "", N_("sequences whose KV cache fits at once, at least one"),
                 Max(1, floor(room / (kv_token * (prompt + generated)))))  # fmt: skip
waves = _p.let(
    "waves", "n_w", "", N_("waves in which the sequences pass"),
    when(batch > 1, ceiling(batch / fitting), 1), holds=N_("All sequences have one length."),
)  # fmt: skip
together = _p.let("concurrent", "c", "", N_("sequences of one wave"), batch / waves)

_p.part("step", N_("One step of generating"), N_("Seconds in which every sequence of a wave gets one more token."))
context = _p.let(
    "mean_context", "s", TOKENS, N_("tokens that a step looks back on, in the mean of all steps"),
    prompt + generated / 2,
)  # fmt: skip


def _seen(tokens: sympy.Expr) -> sympy.Expr:
    """Tokens that attention looks back on, in the mean of all layers."""
    return (1 - window_share) * tokens + window_share * Min(tokens, window)


def _both(pair: tuple[sympy.Expr, sympy.Expr]) -> sympy.Expr:
    """The first over NVLink where the card's board has it, the second over PCIe."""
    return when(joined * nvlink > 0, *pair)


intake = intake_16 * Min(Max(bits, 1) / 16, 1) ** Min(intake_exponent, 1) * kernel_speed * format_speed
weight_time = _both_limits("weight_time", "τ_W", N_("time for a byte of weights"), intake)
cache_time = _both_limits("cache_time", "τ_kv", N_("time for a byte of the KV cache"), cache_intake)
step_bytes = _p.let(
    "step_weights", "B_Ws", BYTES, N_("weights that a step reads"),
    (body - expert * (1 - visited) ** together) * bits / 8 + table * bits_head / 8,
    holds=N_("Experts are visited at random: of many sequences few experts stay unvisited."),
)  # fmt: skip
weight_read = _p.let(
    "weight_read_s", "t_W", SECONDS, N_("reading the weights"),
    step_bytes * weight_time / ways, term=True,
)  # fmt: skip
compute = _p.let("compute_s", "t_mm", SECONDS, N_("matrix products of a step"),
                 2 * (active + table) * together / (rate * matmul_share) / ways, ("PALM_PAPER",))  # fmt: skip
compute_beyond = _p.let("compute_beyond_s", "t_mm+", SECONDS, N_("matrix products beyond the reading of the weights"),
                        Max(compute - weight_read, 0), term=True)  # fmt: skip
repeats = _p.let(
    "cache_repeats", "n_rep", "", N_("how often keys and values are repeated to serve all query heads"),
    (q_width + out_width) / kv_values,
)  # fmt: skip
cache_passes = _p.let(
    "cache_passes", "n_kv", "", N_("times that a step moves the KV cache"),
    when(copies_cache > 0, 3 + 2 * when(repeats > Rational(101, 100), repeats, 0), 1), ("HF_TRANSFORMERS_CODE",),
    N_("transformers: read and written by torch.cat, repeated for all heads by repeat_kv, read."),
)  # fmt: skip
kv_read = _p.let("kv_read_s", "t_kv", SECONDS, N_("reading the KV cache"),
                 together * _seen(context) * kv_token * cache_passes * cache_time / ways, term=True)  # fmt: skip
kernels = _p.let(
    "kernels_s", "t_k", SECONDS, N_("small kernels: norms, positions, sampling, starts and ends"),
    layers * layer_cycles / clock, term=True,
)  # fmt: skip
link = _p.let(
    "link_speed", "B_net", SPEED, N_("speed between two GPUs, one direction"),
    link_share * _both((nvlink / 2, pcie)),
)  # fmt: skip
latency = _p.let("link_latency", "τ_net", SECONDS, N_("delay of an all-reduce between all GPUs of a matrix"),
                 _both((nvlink_latency, pcie_latency)) * log(Max(ways, 2)) / log(2))  # fmt: skip


def _all_reduce(tokens: sympy.Expr) -> sympy.Expr:
    """Two all-reduces a layer in rings, 16 bits an element."""
    return when(ways > 1, 2 * layers * (latency + tokens * hidden * 2 * 2 * (ways - 1) / Max(ways, 1) / link), 0)


all_reduce = _p.let(
    "all_reduce_s", "t_AR", SECONDS, N_("all-reduces between GPUs that share matrices"),
    _all_reduce(together), term=True,
)  # fmt: skip
hand_over = _p.let(
    "stages_s", "t_st", SECONDS, N_("from GPU to GPU along the layers"),
    (stages - 1) * stage_latency, term=True,
)  # fmt: skip
no_past = _p.let("no_past_s", "t_0", SECONDS, N_("work of the GPUs in a step without a past"),
                 weight_read + compute_beyond + kernels + all_reduce + hand_over)  # fmt: skip
gpu_step = _p.let("gpu_step_s", "t_GPU", SECONDS, N_("work of the GPUs in a step"), no_past + kv_read)
launches = _p.let("launches_s", "t_py", SECONDS, N_("time in which Python launches a pass"),
                  layers * layer_host * format_host + expert_loop * moe_layers * experts * expert_host)  # fmt: skip
_p.let("host_wait_s", "t_py+", SECONDS, N_("waiting for Python"), Max(launches - gpu_step, 0), term=True)
between = _p.let(
    "step_host_s", "t_h", SECONDS, N_("host between two steps"),
    step_host + sequence_host * together, term=True,
)  # fmt: skip
step = _p.let("step_s", "t_1", SECONDS, N_("one step: one token for each sequence"), Max(gpu_step, launches) + between)

_p.part("prompt", N_("The pass over the prompt"), N_("Seconds until the first token of an answer."))
tokens = _p.let("prompt_tokens", "T", TOKENS, N_("tokens of all prompts of a wave"), together * prompt)
pass_tokens = _p.let(
    "pass_size", "T_c", TOKENS, N_("tokens that pass the model at once"),
    when(chunk > 0, Min(prompt, chunk), tokens),
)  # fmt: skip
passes = _p.let("passes", "n_c", "", N_("passes"), ceiling(tokens / pass_tokens))
parts = _p.let("pipeline_parts", "n_µ", "", N_("parts of a prompt that follow each other along the stages"),
               when(chunk > 0, ceiling(prompt / Max(chunk, 1)), 1))  # fmt: skip
share = _p.let(
    "prompt_share", "σ_n", "", N_("share of the work that the slowest GPU does or waits for"),
    when(stages > 1, when(parts > 1, (parts + stages - 1) / (parts * Max(stages, 1)) * pipeline_loss, 1), 1) / ways,
    holds=N_("Parts of one prompt fill a pipeline; its first and last parts leave stages idle."),
)  # fmt: skip
TILE = 128
idle_tiles = tile_loss * sms * TILE**2 / (pass_tokens * hidden)
prompt_matmul = _p.let(
    "prompt_matmul_s", "p_mm", SECONDS, N_("matrix products"),
    2 * active * tokens / (prompt_rate * matmul_share) * (1 + idle_tiles) * share,
    ("PALM_PAPER",),
    N_("Two operations for each parameter and token; the last tiles of 128 × 128 leave multiprocessors idle."),
    term=True,
)  # fmt: skip
looked_back = _p.let(
    "prompt_context", "s_2", TOKENS, N_("tokens that a token of the prompt looks back on, in the mean"),
    _seen(prompt / 2),
)  # fmt: skip
prompt_attention = _p.let(
    "prompt_attention_s", "p_a", SECONDS, N_("attention"),
    2 * (q_width + out_width) * layers * tokens * looked_back / (prompt_rate * attention_rate) * share, term=True,
)  # fmt: skip
prompt_scores = _p.let(
    "prompt_scores_s", "p_sc", SECONDS, N_("writing and reading attention scores"),
    writes_scores * score_passes * 4 * heads * layers * tokens * looked_back / read_speed * share, term=True,
)  # fmt: skip
unpacks = packed * (1 - serving) * when(rate_16 > 0, 1, 0)
moved = passes * (weight_passes + unpacks * unpack_passes) * 2 * (body - expert * (1 - Min(1, pass_tokens * visited)))
prompt_weights = _p.let(
    "prompt_weights_s", "p_W", SECONDS, N_("reading and unpacking the weights"),
    moved / read_speed * share, term=True,
)  # fmt: skip
prompt_kernels = _p.let(
    "prompt_kernels_s", "p_k", SECONDS, N_("small kernels of all passes"),
    passes * kernels, term=True,
)  # fmt: skip
prompt_reduce = _p.let(
    "prompt_all_reduce_s", "p_AR", SECONDS, N_("all-reduces between GPUs that share matrices"),
    _all_reduce(tokens), term=True,
)  # fmt: skip
prompt_stages = _p.let("prompt_stages_s", "p_st", SECONDS, N_("from GPU to GPU along the layers"),
                       when(stages > 1, (stages - 1) * (stage_latency + pass_tokens * hidden * 4 / link), 0),
                       term=True)  # fmt: skip
gpu_prompt = _p.let(
    "gpu_prompt_s", "p_GPU", SECONDS, N_("work of the GPUs on the prompt"),
    prompt_matmul + prompt_attention + prompt_scores + prompt_weights + prompt_kernels + prompt_reduce + prompt_stages,
)  # fmt: skip
first_step = _p.let(
    "first_step_s", "p_1", SECONDS, N_("a step of generating without a past: no pass over a prompt is shorter"),
    Max(no_past, launches) + between,
)  # fmt: skip
_p.let("prompt_wait_s", "p_+", SECONDS, N_("waiting for Python, or for what no pass does without"),
       Max(first_step - gpu_prompt, 0), term=True)  # fmt: skip
prompt_s = _p.let(
    "prompt_s", "t_p", SECONDS, N_("pass over the prompts of a wave: the time to the first token"),
    Max(gpu_prompt, first_step),
)  # fmt: skip

_p.part("run", N_("The run"), N_("Speeds that follow from these times. They count all sequences on all GPUs."))
whole = _p.let("run_s", "t", SECONDS, N_("the whole run"), waves * (prompt_s + generated * step))
_p.let("prefill_tokens_per_s", "v_p", TOKENS_PER_SECOND, N_("speed of reading prompts"), together * prompt / prompt_s)
_p.let("decode_tokens_per_s", "v_g", TOKENS_PER_SECOND, N_("speed of generating, prompts apart"), together / step)
_p.let(
    "output_tokens_per_s", "v_o", TOKENS_PER_SECOND, N_("generated tokens over the whole run"),
    batch * generated / whole,
)  # fmt: skip
_p.let("combined_tokens_per_s", "v", TOKENS_PER_SECOND, N_("tokens of prompts and answers over the whole run"),
       batch * (prompt + generated) / whole)  # fmt: skip
