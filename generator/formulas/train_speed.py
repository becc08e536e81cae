"""Speed of training: the seconds that one GPU spends on one token, part by part.

Work that runs on the GPU adds up: matrix products at the rate the card attains, attention, memory traffic of everything
else, traffic between GPUs. The host launches kernels at the same time; the slower of the two sets the pace. Once a step
comes the optimizer. So an efficiency is no number of an engine or a card: it follows from the shape of the model and
from compute, bandwidth and links of the card, which is what carries over to cards that nobody measured.

All times are seconds for one token on one GPU (GPU-seconds a token), so that the speed is one over their sum.
"""

from __future__ import annotations

from sympy import Max, Min, Rational, log

from generator.formulas.algebra import Program, when
from generator.formulas.shape import PARAMETERS, shape
from generator.i18n import N_

TRAIN_SPEED = Program("train_speed", N_("Speed of training"))
_p = TRAIN_SPEED
BYTES, SECONDS, FLOPS, RATE, SPEED = N_("bytes"), N_("s/token"), N_("FLOP/token"), N_("FLOP/s"), N_("bytes/s")
TOKENS = N_("tokens")

(
    layers, attention_layers, hidden, heads, q_width, k_width, v_width, out_width, ffn, shared_ffn, mlp_inputs,
    dense_layers, moe_layers, experts, per_token, expert_ffn, routed_hidden, state_space_width, vocab, head_parameters,
    norms, parameters, linear, expert, active_expert, window, window_share, causal,
) = _p.use(shape(
    "layers", "attention_layers", "hidden", "heads", "q_width", "k_width", "v_width", "out_width", "ffn", "shared_ffn",
    "mlp_inputs", "dense_layers", "moe_layers", "experts", "experts_per_token", "expert_ffn", "routed_hidden",
    "state_space_width", "vocab", "head_matmul_parameters", "norms_per_layer", "parameters", "linear_parameters",
    "expert_parameters", "active_expert_parameters", "window", "window_share", "causal",
))  # fmt: skip
layernorm = _p.given("layernorm", "x_ln", "", N_("1 for LayerNorm, 0 for RMSNorm"))

# --- the question in numbers
sequence = _p.given("sequence", "s", TOKENS, N_("length of a sequence"))
mean_length = _p.given(
    "mean_length", "s_mean", TOKENS, N_("mean length of a sample, where samples are shorter than a sequence"),
)  # fmt: skip
micro_batch = _p.given("micro_batch", "b", "", N_("sequences of one micro-batch on one GPU"))
accumulation = _p.given("accumulation", "n_acc", "", N_("micro-batches of one optimizer step"))
gpus = _p.given("gpus", "n", "", N_("GPUs"))
tensor = _p.given("tensor_parallel", "n_TP", "", N_("GPUs that share each matrix"))
pipeline = _p.given("pipeline_parallel", "n_PP", "", N_("GPUs that share the layers"))
virtual = _p.given("virtual_pipeline", "n_VP", "", N_("parts that each GPU of a pipeline cuts its layers into"))
context = _p.given("context_parallel", "n_CP", "", N_("GPUs that share each sequence"))
expert_parallel = _p.given("expert_parallel", "n_EP", "", N_("GPUs that share the experts"))
grouped = _p.given(
    "grouped_experts", "x_grp", "",
    N_("1 if one kernel runs all experts of a layer, whatever the software does by itself"),
)  # fmt: skip
adapter_parameters = _p.given("adapter_parameters", "N_ad", PARAMETERS, N_("parameters of the adapters"))
adapter_widths = _p.given(
    "adapter_widths", "w_ad", "", N_("input and output widths of all adapted matrices that a token visits"),
)  # fmt: skip
adapted_matrices = _p.given("adapted_matrices", "n_ad", "", N_("adapted matrices of a layer"))
# --- what the named choices stand for (generator/formulas/options)
full = _p.given("full", "x_full", "", N_("1 if every weight is trained, 0 with adapters"))
matmul_bits = _p.given(
    "matmul_bits", "β_mm", N_("bits"), N_("number format of the matrix products: 32 FP32, 19 TF32, 16, 8 or 4 bits"),
)  # fmt: skip
quantizing = _p.given(
    "quantizing_passes", "n_cast", "",
    N_("times that activations are quantized: once for a whole tensor, again for block scales"),
)  # fmt: skip
step_traffic = _p.given(
    "step_traffic_bytes", "β_opt", BYTES, N_("bytes that an optimizer step moves for each trained parameter"),
)  # fmt: skip
attention_speed = _p.given("attention_speed", "η_k", "", N_("speed of the attention kernel against FlashAttention 2"))
score_accesses = _p.given(
    "score_accesses", "n_score", "", N_("accesses to the whole table of scores in one pass; 0 in a fused kernel"),
)  # fmt: skip
recomputed = _p.given("recomputed_share", "r", "", N_("share of the forward pass that checkpointing computes again"))
stack_loss = _p.given("uses_stack_loss", "x_loss", "", N_("1 if the loss is the one that the software uses by itself"))
kernel_logit_bytes = _p.given("kernel_logit_bytes", "β_V1", BYTES, N_("bytes that a fused loss moves for each logit"))
stack_logit_bytes = _p.given(
    "stack_logit_bytes", "β_V0", BYTES, N_("bytes that the software's own loss moves for each logit"),
)  # fmt: skip
fused_norms = _p.given("fused_norms", "x_norm", "", N_("1 if a kernel fuses the norms"))
stack_fused_norms = _p.given("stack_fused_norms", "x_norm0", "", N_("1 if the software fuses the norms by itself"))
adapter_traffic = _p.given(
    "adapter_traffic", "a_k", "",
    N_("memory traffic of the adapters with these kernels, against one product after the other"),
)  # fmt: skip
stack_adapter_traffic = _p.given("stack_adapter_traffic", "a_0", "", N_("the same of the software by itself"))
loops_experts = _p.given("loops_experts", "x_loop", "", N_("1 if the software runs the experts of a layer in a loop"))
cudnn = _p.given("cudnn_attention", "x_cudnn", "", N_("1 if attention comes from cuDNN"))
upcast = _p.given("upcast_rest", "x_up", "", N_("1 if everything that is not quantized is FP32"))
shards_weights = _p.given("shards_weights", "x_W", "", N_("1 if each GPU keeps a part of the weights"))
shards_states = _p.given("shards_states", "x_S", "", N_("1 if each GPU keeps a part of the optimizer states"))
split_layers = _p.given("splits_layers", "x_map", "", N_("1 if layers are spread over the GPUs one after the other"))
quantized = _p.given("quantized", "x_q", "", N_("1 if the weights are unpacked before they are used"))
bits_base = _p.given("bits_base", "β_q", N_("bits"), N_("bits of a stored weight of the layers' matrices"))
group_bits = _p.given("group_bits", "β_grp", N_("bits"), N_("constants of a group of quantized weights"))
group_size = _p.given("default_group", "n_grp", "", N_("weights of a group"))
shorter = _p.given("shorter_samples", "x_short", "", N_("1 if a sequence holds one sample and no more"))
pads = _p.given("pads", "x_pad", "", N_("1 if samples are padded to the longest of the batch"))
documents = _p.given(
    "documents_apart", "x_doc", "", N_("1 if several samples share a sequence and do not see each other"),
)  # fmt: skip
# --- the card
bandwidth_rated = _p.given("bandwidth", "BW", SPEED, N_("memory bandwidth of the card"))
rate_fp32 = _p.given("rate_fp32", "R_32", RATE, N_("rated FP32 outside the Tensor Cores"))
rate_tf32 = _p.given("rate_tf32", "R_19", RATE, N_("rated TF32; 0 = has none"))
rate_16 = _p.given(
    "rate_tensor16", "R_16", RATE, N_("rated BF16 or else FP16 on Tensor Cores with an FP32 accumulator; 0 = has none"),
)  # fmt: skip
rate_fp8 = _p.given("rate_fp8", "R_8", RATE, N_("rated FP8; 0 = has none"))
rate_fp4 = _p.given("rate_fp4", "R_4", RATE, N_("rated FP4; 0 = has none"))
nvlink = _p.given("nvlink", "B_NVL", SPEED, N_("NVLink of the card, both directions; 0 = has none"))
pcie = _p.given("pcie", "B_PCIe", SPEED, N_("PCIe of the card, one direction; 0 = not known"))
consumer = _p.given("consumer", "x_cons", "", N_("1 for cards whose driver lets GPUs talk through host memory only"))
domain = _p.given("link_domain", "n_dom", "", N_("GPUs that one switch or one machine joins"))
nic = _p.given("network", "B_net", SPEED, N_("network of one GPU, one direction"))
attention_share = _p.given(
    "attention_share", "η_a", "", N_("share of the rated speed that FlashAttention 2 attains on this class of card"),
)  # fmt: skip
attention_share_cudnn = _p.given("attention_share_cudnn", "η_ac", "", N_("the same for cuDNN"))
# --- measured alone (data/published/kernels) and fitted (data/calibration/train-speed.json)
attained_32 = _p.given(
    "attained_fp32", "η_32", "", N_("share of the rated FP32 speed that the best matrix product attains"),
)  # fmt: skip
attained_19 = _p.given("attained_tf32", "η_19", "", N_("the same for TF32"))
attained_16 = _p.given("attained_16", "η_16", "", N_("the same for BF16 and FP16"))
attained_8 = _p.given("attained_8", "η_8", "", N_("the same for FP8"))
attained_4 = _p.given("attained_4", "η_4", "", N_("the same for FP4"))
matmul_16 = _p.given(
    "matmul_16", "κ_16", "", N_("matrix products in training against the best one measured alone, 16 bits and more"),
)  # fmt: skip
matmul_8 = _p.given("matmul_8", "κ_8", "", N_("the same for FP8"))
matmul_4 = _p.given("matmul_4", "κ_4", "", N_("the same for FP4"))
narrow = _p.given("narrow_width", "κ_h", "", N_("width at which a matrix product attains half of that"))
attention_factor = _p.given("attention_factor", "κ_a", "", N_("attention in training against attention measured alone"))
passes_elementwise = _p.given("elementwise_passes", "κ_e", "", N_("memory passes over the counted activations"))
quantizing_cost = _p.given("quantizing_cost", "κ_q", "", N_("how many more of them one quantization costs, as a share"))
routing_passes = _p.given("routing_passes", "κ_r", "", N_("passes over routed activations against passes over others"))
adapter_passes = _p.given("adapter_passes", "κ_ad", "", N_("passes over inputs and outputs of an adapted matrix"))
dequantize_factor = _p.given("dequantize_factor", "κ_dq", "", N_("time of unpacking against the bytes that it moves"))
data_link = _p.given(
    "data_link", "κ_DP", "", N_("data-parallel traffic: speed as seen, overlap included, against the link"),
)  # fmt: skip
tensor_link = _p.given("tensor_link", "κ_TP", "", N_("the same for tensor-parallel traffic"))
expert_link = _p.given("expert_link", "κ_EP", "", N_("the same for traffic between experts"))
bubble_factor = _p.given("bubble_factor", "κ_PP", "", N_("idle time of a pipeline against its formula"))
host_seconds = _p.given("host_seconds", "τ", "s", N_("time to launch forward and backward pass of one layer"))
host_adapter = _p.given("host_adapter", "κ_τa", "", N_("the same for one adapted matrix, in layers"))
host_router = _p.given("host_router", "κ_τr", "", N_("the same for a block of experts in one kernel, in layers"))
host_expert = _p.given("host_expert", "κ_τe", "", N_("the same for one expert of a loop, in layers"))
unit_seconds = _p.given(
    "unit_seconds", "τ_u", "s", N_("time for each sharded unit and micro-batch that overlap does not hide"),
)  # fmt: skip
unit_adapters = _p.given("unit_adapters", "κ_u", "", N_("sharded units that one adapted matrix makes"))

# Which number format the card multiplies in: the one that was asked for, or the next wider that it has.
_p.part(
    "rates", N_("Number format and rates"),
    N_("What the card multiplies in, and how fast it does that in practice."),
)  # fmt: skip
uses_4 = _p.let("uses_4", "x_4", "", N_("1 if products are FP4"), when(matmul_bits <= 4, when(rate_fp4 > 0, 1, 0), 0))
uses_8 = _p.let(
    "uses_8", "x_8", "", N_("1 if products are FP8"), when(matmul_bits <= 8, when(rate_fp8 > 0, 1 - uses_4, 0), 0),
)  # fmt: skip
low = _p.let("uses_low", "x_low", "", N_("1 if products have fewer than 16 bits"), uses_4 + uses_8)
uses_16 = _p.let(
    "uses_16", "x_16", "", N_("1 if products are BF16 or FP16"),
    when(matmul_bits <= 16, when(rate_16 > 0, 1 - low, 0), 0),
)  # fmt: skip
uses_19 = _p.let(
    "uses_tf32", "x_19", "", N_("1 if products are TF32"),
    when(matmul_bits > 16, when(matmul_bits <= 19, when(rate_tf32 > 0, 1, 0), 0), 0),
)  # fmt: skip
uses_32 = _p.let("uses_fp32", "x_32", "", N_("1 if products are FP32"), 1 - low - uses_16 - uses_19)
act = _p.let("element_bytes", "β", BYTES, N_("bytes of an activation"), 2 + 2 * (uses_19 + uses_32))
rated = _p.let(
    "rated", "R", RATE, N_("rated speed of the card in this format, without sparsity"),
    uses_4 * rate_fp4 + uses_8 * rate_fp8 + uses_16 * rate_16 + uses_19 * rate_tf32 + uses_32 * rate_fp32,
)  # fmt: skip
wide_attained = _p.let(
    "wide_attained", "R_w", RATE, N_("attained speed of TF32 or FP32, where they are used"),
    uses_19 * rate_tf32 * attained_19 + uses_32 * rate_fp32 * attained_32,
)  # fmt: skip
linear_rate = _p.let(
    "linear_rate", "R_lin", RATE, N_("speed of the layers' matrix products"),
    uses_4 * rate_fp4 * attained_4 * matmul_4 + uses_8 * rate_fp8 * attained_8 * matmul_8
    + (uses_16 * rate_16 * attained_16 + wide_attained) * matmul_16, ("C_STAS_MAMF", "C_ZZC_TORCH_MATMUL"),
    N_("A card without a measurement has the share of its class."),
)  # fmt: skip
head_rate = _p.let(
    "head_rate", "R_V", RATE, N_("speed of the output head's product"),
    ((low + uses_16) * rate_16 * attained_16 + wide_attained) * matmul_16,
    holds=N_("The output head stays in 16 bits where the layers use fewer."),
)  # fmt: skip
attention_rate = _p.let(
    "attention_rate", "R_a", RATE, N_("speed of attention"),
    ((low + uses_16) * rate_16 + uses_19 * rate_tf32 + uses_32 * rate_fp32)
    * when(cudnn > 0, attention_share_cudnn, attention_share) * attention_speed * attention_factor,
    ("C_FLASH_ATTN_THREADS", "FLASH_ATTENTION_2_PAPER"),
)  # fmt: skip
bandwidth = _p.let(
    "attained_bandwidth", "B", SPEED, N_("memory bandwidth that programs see"), Rational(85, 100) * bandwidth_rated,
    holds=N_("Copies attain 85 to 95 % of the rated bandwidth."),
)  # fmt: skip

_p.part("tokens", N_("Tokens"), N_("Tokens that are computed, and those that count."))
padding = _p.let(
    "padding", "π", "", N_("tokens computed for each real one"),
    when(pads > 0, 1 + Rational(27, 100) * log(micro_batch) / log(2), 1),
    holds=N_("The longest sample of a batch against the mean, for lengths that spread by half of it."),
)  # fmt: skip
length = _p.let(
    "row_length", "s_row", TOKENS, N_("tokens of a row of the batch"),
    when(shorter > 0, mean_length * padding, sequence),
)  # fmt: skip
seen = _p.let(
    "seen_length", "s_a", TOKENS, N_("tokens that attention runs over"),
    when(documents > 0, Min(length, 2 * mean_length), length),
    holds=N_("Long samples hold most of the tokens: twice the mean length."),
)  # fmt: skip
tokens = _p.let(
    "gpu_tokens", "T", TOKENS, N_("a micro-batch's tokens for each GPU that works on them"),
    length * micro_batch / (tensor * context * pipeline),
)  # fmt: skip
data_parallel = _p.let(
    "data_parallel", "n_DP", "", N_("groups of GPUs that work on different data"),
    when(split_layers > 0, 1, Max(gpus / (tensor * pipeline * context), 1)),
)  # fmt: skip

_p.part(
    "passes", N_("Passes"),
    N_("Forward, gradient of the inputs, gradient of the weights, and forward again where checkpointing asks for it."),
)  # fmt: skip
passes = _p.let(
    "matmul_passes", "n_p", "", N_("passes through a matrix"), 2 + full + recomputed,
    ("LORA_PAPER", "CHECKPOINTING_PAPER"), N_("Frozen weights need no gradient of their own."),
)  # fmt: skip
light = _p.let(
    "light_passes", "n_e", "", N_("the same for work between matrices"), 3 + recomputed,
    holds=N_("The backward pass moves twice the bytes of the forward pass."),
)  # fmt: skip
active_linear = _p.let(
    "active_linear", "N_act", PARAMETERS, N_("matrix parameters of the layers that one token uses"),
    linear - expert + active_expert,
)  # fmt: skip
here = _p.let(
    "parameters_here", "N_EP", PARAMETERS, N_("parameters with this GPU's share of the experts"),
    parameters - expert + expert / expert_parallel,
)  # fmt: skip
linear_here = _p.let(
    "linear_here", "N_linEP", PARAMETERS, N_("matrix parameters of the layers, the same"),
    linear - expert + expert / expert_parallel,
)  # fmt: skip

_p.part("gpu", N_("Work of the GPU"), N_("Seconds for one token on one GPU, part by part."))
fill = _p.let("fill", "φ", "", N_("how far matrices of this width fill the card"), hidden / (hidden + narrow))
expert_fill = _p.let(
    "expert_fill", "φ_E", "", N_("the same for the experts' width"),
    when(expert_ffn > 0, expert_ffn / (expert_ffn + narrow), 1),
)  # fmt: skip
products = _p.let(
    "product_s", "t_mm", SECONDS, N_("matrix products, limited by compute"),
    2 * passes * (active_linear - active_expert + active_expert / expert_fill) / (linear_rate * fill)
    + 2 * (2 + full) * head_parameters / (head_rate * fill),
)  # fmt: skip
weight_reads = _p.let(
    "weight_read_s", "t_W", SECONDS, N_("the same, limited by reading every weight once in each pass"),
    2 * passes * linear_here / (tensor * pipeline * tokens * bandwidth),
)  # fmt: skip
matmul = _p.let("matmul_s", "t_lin", SECONDS, N_("matrix products"), Max(products, weight_reads), term=True)
half = _p.let("half", "σ_c", "", N_("share of the scores that a causal model computes"), 1 - causal / 2)
context_full = _p.let("context_full", "c", TOKENS, N_("tokens that a token sees on average"), seen * half)
context_window = _p.let(
    "context_window", "c_w", TOKENS, N_("the same in layers with a sliding window"),
    when(seen > window, window - window**2 / (2 * seen), context_full),
)  # fmt: skip
mean_context = _p.let(
    "mean_context", "c_m", TOKENS, N_("the same over all layers"),
    context_full * (1 - window_share) + context_window * window_share,
)  # fmt: skip
attention_flops = _p.let(
    "attention_flops", "F_a", FLOPS, N_("scores and their product with the values, one pass"),
    2 * mean_context * (q_width + out_width) * attention_layers,
)  # fmt: skip
attention = _p.let(
    "attention_s", "t_a", SECONDS, N_("attention"),
    attention_flops * (Rational(7, 2) + recomputed) / attention_rate
    + act * score_accesses * heads * seen * attention_layers * light / bandwidth, ("FLASH_ATTENTION_PAPER",),
    N_("The backward pass of a fused kernel does 2.5 times the work of the forward pass."), term=True,
)  # fmt: skip
counted = _p.let(
    "counted_bytes", "A", N_("bytes/token"),
    N_("activations that one pass goes over: residual stream, queries, keys, values, feed-forward, state space"),
    act * (
        8 * hidden * layers + 3 * (q_width + k_width + v_width) * attention_layers
        + 2 * (mlp_inputs + 1) * (dense_layers * ffn + moe_layers * shared_ffn) + 12 * state_space_width
    ),
)  # fmt: skip
norm_bytes = _p.let(
    "norm_bytes", "A_n", N_("bytes/token"), N_("surplus of RMSNorms that are written as separate operations"),
    act * (1 - layernorm) * (1 - fused_norms) * (1 - stack_fused_norms) * norms * hidden * layers
    * (26 * (1 + recomputed) + 66), ("C_LIGER_KERNEL",),
    N_("29 and 76 accesses forward and backward against 3 and 10 of a fused kernel; LayerNorm is one kernel anyway."),
)  # fmt: skip
elementwise = _p.let(
    "elementwise_s", "t_e", SECONDS, N_("work between the matrices: norms, activations, residuals, casts"),
    (passes_elementwise * (1 + quantizing_cost * low * quantizing) * counted * light + norm_bytes) * (1 + upcast)
    / bandwidth, term=True,
)  # fmt: skip
routing = _p.let(
    "routing_s", "t_r", SECONDS, N_("sorting tokens to experts and back, and the experts' activations"),
    passes_elementwise * routing_passes * act * moe_layers * per_token
    * (4 * routed_hidden + 2 * (mlp_inputs + 1) * expert_ffn) * light / bandwidth, term=True,
)  # fmt: skip
loss = _p.let(
    "loss_s", "t_V", SECONDS, N_("logits and loss, beside their matrix product"),
    when(stack_loss > 0, stack_logit_bytes, kernel_logit_bytes) * vocab / bandwidth, ("C_LIGER_KERNEL",), term=True,
)  # fmt: skip
adapters = _p.let(
    "adapter_s", "t_ad", SECONDS, N_("adapters"),
    (1 - full) * Min(adapter_traffic, stack_adapter_traffic) * adapter_passes * 2 * adapter_widths * light / bandwidth,
    ("LORA_PAPER",), term=True,
)  # fmt: skip
dequantize = _p.let(
    "dequantize_s", "t_dq", SECONDS, N_("unpacking quantized weights"),
    quantized * dequantize_factor * (bits_base / 8 + group_bits / (8 * group_size) + 2) * linear
    * (2 + recomputed) / (bandwidth * tokens), ("QLORA_PAPER",),
    N_("Every pass of every micro-batch reads the packed weights and writes 16-bit ones."), term=True,
)  # fmt: skip

_p.part("links", N_("Between GPUs"), N_("Traffic over NVLink, PCIe and the network."))
link = _p.let(
    "link", "B_1", SPEED, N_("link of one GPU inside a machine, one direction"),
    when(nvlink > 0, nvlink / 2, Rational(3, 4) * when(pcie > 0, pcie, 32_000_000_000) * (1 - consumer / 2)),
    holds=N_("PCIe attains three quarters of its rate, half of that through host memory; generation 4 if not known."),
)  # fmt: skip
ring_link = _p.let(
    "ring_link", "B_ring", SPEED, N_("link of a ring over all GPUs"),
    when(gpus > domain, Min(link, nic * domain), link),
    holds=N_("A ring leaves a machine over all of its network cards."),
)  # fmt: skip
tensor_bandwidth = _p.let(
    "tensor_bandwidth", "B_TP", SPEED, N_("link between the GPUs that share matrices"),
    when(tensor > domain, nic, link),
)  # fmt: skip
tensor_time = _p.let(
    "tensor_s", "t_TP", SECONDS, N_("adding up the parts of each matrix product"),
    16 * hidden * (tensor - 1) * layers / (tensor_bandwidth * tensor_link),
    holds=N_("Two sums of 16-bit activations in each pass of a layer."), term=True,
)  # fmt: skip
machines = _p.let(
    "expert_machines", "m_EP", "", N_("machines that share the experts"), Max(1, expert_parallel / domain),
)  # fmt: skip
elsewhere = _p.let("elsewhere", "σ_m", "", N_("chance that an expert is not on one given machine"), 1 - 1 / machines)
leaves = _p.let(
    "leaves", "n_out", "", N_("copies of a token that leave its machine, one for each other machine"),
    (machines - 1) * (1 - elsewhere**per_token),
)  # fmt: skip
expert_time = _p.let(
    "expert_s", "t_EP", SECONDS, N_("sending tokens to experts on other GPUs and back"),
    8 * moe_layers * routed_hidden * (leaves / nic + per_token * (1 - 1 / expert_parallel) / link) / expert_link,
    term=True,
)  # fmt: skip
summed = _p.let(
    "gpu_sum_s", "t_sum", SECONDS, N_("work of the GPU"),
    matmul + attention + elementwise + routing + loss + adapters + dequantize + tensor_time + expert_time,
)  # fmt: skip
bubble = _p.let(
    "bubble_s", "t_PP", SECONDS, N_("waiting for the pipeline to fill and drain"),
    summed * bubble_factor * (pipeline - 1) / (virtual * accumulation), term=True,
)  # fmt: skip
gpu = _p.let("gpu_s", "t_GPU", SECONDS, N_("the GPU's part of a micro-batch"), summed + bubble)

_p.part(
    "host", N_("The host"),
    N_("Python launches kernels while the GPU computes; the slower of the two sets the pace."),
)  # fmt: skip
loop = _p.let(
    "expert_loop", "x_l", "", N_("1 if Python runs the experts one after the other"), loops_experts * (1 - grouped),
)  # fmt: skip
launches = _p.let(
    "launches", "n_τ", "", N_("work for the host, in layers"),
    layers * (1 + (1 - full) * host_adapter * adapted_matrices)
    + moe_layers * (host_router * (1 - loop) + host_expert * loop * experts),
)  # fmt: skip
host = _p.let(
    "host_s", "t_host", SECONDS, N_("launching kernels"),
    host_seconds * (1 + recomputed / 3) * launches / (tokens * pipeline),
)  # fmt: skip
body = _p.let(
    "body_s", "t_body", SECONDS, N_("GPU and host side by side"), (gpu**4 + host**4) ** Rational(1, 4),
    holds=N_("The slower one sets the pace; where both take the same time, neither hides the other fully."),
)  # fmt: skip
_p.let("launch_s", "t_τ", SECONDS, N_("launching kernels, as far as the GPU waits for it"), body - gpu, term=True)

_p.part("step", N_("Once a step"), N_("The optimizer, and the exchange between GPUs that work on different data."))
trained = _p.let(
    "trained", "N_t", PARAMETERS, N_("trained parameters"), full * parameters + (1 - full) * adapter_parameters,
)  # fmt: skip
shards = _p.let(
    "state_shards", "n_S", "", N_("GPUs that share the optimizer step"), when(shards_states > 0, data_parallel, 1),
)  # fmt: skip
optimizer = _p.let(
    "optimizer_s", "t_opt", SECONDS, N_("optimizer step"),
    step_traffic * trained / (tensor * pipeline * shards * bandwidth * tokens * accumulation), ("ZERO_PAPER",),
    term=True,
)  # fmt: skip
gather_bytes = _p.let(
    "gather_bytes", "β_W", BYTES, N_("bytes of a weight that is gathered"),
    when(quantized > 0, bits_base / 8 + group_bits / (8 * group_size), 2),
)  # fmt: skip
sharded_traffic = _p.let(
    "sharded_bytes", "D_W", BYTES, N_("weights gathered twice and gradients scattered, each micro-batch"),
    shards_weights * here * (2 * gather_bytes + 2 * full), ("FSDP_PAPER", "ZERO_PAPER"),
)  # fmt: skip
summed_traffic = _p.let(
    "summed_bytes", "D_G", BYTES, N_("gradients summed once a step, for each micro-batch"),
    (1 - shards_weights) * 4 * (full * here + (1 - full) * adapter_parameters) / accumulation,
)  # fmt: skip
ring = _p.let("ring_share", "σ_DP", "", N_("share that passes each link of a ring"), 1 - 1 / data_parallel)
units = _p.let(
    "units", "n_u", "", N_("sharded units that wait for each other"),
    shards_weights * when(data_parallel > 1, 1, 0) * layers * (1 + (1 - full) * unit_adapters * adapted_matrices),
)  # fmt: skip
data_time = _p.let(
    "data_s", "t_DP", SECONDS, N_("exchange between GPUs that work on different data"),
    ((sharded_traffic + summed_traffic) * ring / (tensor * pipeline * ring_link * data_link) + unit_seconds * units)
    / tokens, term=True,
)  # fmt: skip
working = _p.let("working_s", "t_w", SECONDS, N_("all of this"), body + optimizer + data_time)
waiting = _p.let(
    "waiting_s", "t_idle", SECONDS, N_("waiting for the GPUs that hold the other layers"),
    split_layers * (gpus - 1) * working, term=True,
)  # fmt: skip
total = _p.let(
    "seconds_per_token", "t", SECONDS, N_("GPU-seconds for one token, those of padding included"), working + waiting,
)  # fmt: skip

_p.part(
    "results", N_("Results"),
    N_("Tokens each second, and the share of the rated speed that does useful arithmetic."),
)  # fmt: skip
computed = _p.let(
    "computed_tokens_per_s", "v_c", N_("tokens/s per GPU"), N_("tokens through one GPU each second, padding included"),
    1 / total,
)  # fmt: skip
speed = _p.let(
    "tokens_per_s", "v", N_("tokens/s per GPU"), N_("real tokens through one GPU each second"), computed / padding,
)  # fmt: skip
_p.let("total_tokens_per_s", "v_n", "tokens/s", N_("speed of all GPUs together"), speed * gpus)
model_flops = _p.let(
    "model_flops", "F", FLOPS, N_("arithmetic that a token needs"),
    2 * (2 + full) * (active_linear + head_parameters) + 3 * attention_flops, ("PALM_PAPER", "LORA_PAPER"),
    N_("6 for each parameter in a matrix that a token uses, 4 where they are frozen, and attention; no recomputation."),
)  # fmt: skip
hardware_flops = _p.let(
    "hardware_flops", "F_hw", FLOPS, N_("the same with what checkpointing computes again"),
    model_flops + recomputed * (2 * active_linear + attention_flops), ("CHECKPOINTING_PAPER",),
)  # fmt: skip
_p.let(
    "mfu", "MFU", "", N_("model FLOPs utilisation: arithmetic needed against the rated speed"),
    model_flops * computed / rated, ("PALM_PAPER",),
)  # fmt: skip
_p.let("hfu", "HFU", "", N_("hardware FLOPs utilisation: recomputation counted"), hardware_flops * computed / rated)

_p.part("kind", N_("Kind of case"), N_("Which measured cases tell how far this estimate may be off."))
row_tokens = _p.let("micro_batch_tokens", "T_b", TOKENS, N_("tokens of a micro-batch"), length * micro_batch / context)
tested = _p.given("tested_class", "x_test", "", N_("1 if language models were measured on cards of this architecture"))
_p.let(
    "case_kind", "k", "",
    N_("kind of case: 0 dense, 1 small or limited by the host, 2 experts, 3 a class of card without measurements"),
    when(experts > 0, 2, when(host > Rational(3, 5) * gpu, 1, when(row_tokens < 1500, 1, when(tested > 0, 0, 3)))),
)  # fmt: skip
