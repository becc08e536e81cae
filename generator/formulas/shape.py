"""Quantities that more than one program uses: the shape of a model. Values: :mod:`generator.numbers`."""

from __future__ import annotations

from generator.formulas.algebra import Quantity
from generator.i18n import N_

PARAMETERS = N_("parameters")

_ALL = (
    Quantity("layers", "L", "", N_("layers")),
    Quantity("hidden", "h", "", N_("hidden size")),
    Quantity("heads", "a", "", N_("attention heads")),
    Quantity("q_width", "h_q", "", N_("width of all queries of a layer: heads × head size")),
    Quantity("k_width", "h_k", "", N_("width of all keys of a layer")),
    Quantity("v_width", "h_v", "", N_("width of all values of a layer")),
    Quantity("out_width", "h_o", "", N_("width of the attention's result")),
    Quantity("active_ffn", "f", "", N_("feed-forward width that a token uses in a layer, all experts it visits")),
    Quantity("vocab", "V", "", N_("vocabulary")),
    Quantity("norms_per_layer", "n_norm", "", N_("normalisation layers in a layer")),
    Quantity("query_key_norm", "n_qk", "", N_("1 if queries and keys are normalised")),
    Quantity("parameters", "N", PARAMETERS, N_("parameters of the model")),
    Quantity("linear_parameters", "N_lin", PARAMETERS, N_("parameters in the layers' matrices, experts included")),
    Quantity("expert_parameters", "N_exp", PARAMETERS, N_("parameters of all routed experts")),
    Quantity("matrix_parameters", "N_mat", PARAMETERS, N_("parameters of the largest matrix of a layer")),
    Quantity("experts", "E", "", N_("experts of a layer; 0 = none")),
    Quantity("experts_per_token", "k_exp", "", N_("routed experts that a token visits")),
    Quantity("head_dim", "d", "", N_("head size, of the part with positions")),
    Quantity("ffn", "f_0", "", N_("width of the dense MLP; 0 = none")),
    Quantity("shared_ffn", "f_sh", "", N_("width of all shared experts; 0 = none")),
    Quantity("expert_ffn", "f_exp", "", N_("width of one routed expert")),
    Quantity("mlp_inputs", "n_in", "", N_("matrices that read the input of an MLP: 2 for gated ones, else 1")),
    Quantity("dense_layers", "L_0", "", N_("layers with a dense MLP")),
    Quantity("max_context", "s_model", N_("tokens"), N_("context that the model was made for; 0 = not stated")),
    Quantity("unquantized_parameters", "N_bias", PARAMETERS,
             N_("biases, norms and routers among the parameters of the layers' matrices")),
    Quantity("value_parameters", "N_v", PARAMETERS, N_("parameters of all value matrices")),
    Quantity("output_parameters", "N_o", PARAMETERS, N_("parameters of all attention output matrices")),
    Quantity("down_parameters", "N_d", PARAMETERS, N_("parameters of all down projections")),
    Quantity("matrix_inputs", "n_rows", "", N_("input widths of all matrices of the layers, summed")),
    Quantity("embedding_parameters", "N_E", PARAMETERS, N_("parameters of the embedding, positions included")),
    Quantity("head_parameters", "N_V*", PARAMETERS, N_("parameters of the output head; 0 = it is the embedding")),
    Quantity("head_matmul_parameters", "N_V", PARAMETERS, N_("vocabulary × hidden size")),
    Quantity("kv_values_per_layer", "n_kv", "", N_("numbers that a layer caches for one token")),
    Quantity("attention_layers", "L_a", "", N_("layers with attention")),
    Quantity("moe_layers", "L_E", "", N_("layers with experts")),
    Quantity("active_expert_parameters", "N_expA", PARAMETERS, N_("parameters of the routed experts of one token")),
    Quantity("routed_hidden", "h_r", "", N_("width of what is sent to routed experts")),
    Quantity("state_space_width", "w_ss", "", N_("inner widths of all state-space layers, summed")),
    Quantity("causal", "x_c", "", N_("1 if a token sees only those before it")),
    Quantity("window", "s_win", N_("tokens"), N_("sliding window; 0 = none")),
    Quantity("window_share", "σ_0", "", N_("share of the layers with a sliding window")),
)  # fmt: skip
SHAPE = {quantity.name: quantity for quantity in _ALL}


def shape(*names: str) -> list[Quantity]:
    """The named quantities of a model's shape. Raises KeyError for a name that is none of them."""
    return [SHAPE[name] for name in names]
