"""The pages that explain the formulas: what each answers, its example in words, and how its constants were fitted."""

from __future__ import annotations

from dataclasses import dataclass

from generator.i18n import N_


@dataclass(frozen=True)
class Topic:
    """One page: ``slug`` is its address; ``answers`` says in two sentences what it is for, ``job`` what its example is,
    ``fitted`` how its constants were fitted (interface strings).
    """

    program: str
    slug: str
    answers: str
    job: str
    fitted: str


TOPICS = (
    Topic(
        "training_memory", "training-memory",
        N_(
            "How much memory one training step takes on the fullest GPU, and whether it fits. Weights, gradients,"
            " optimizer states and activations are counted tensor by tensor; what the allocator loses is fitted "
            "to measured runs."
        ),
        N_(
            "QLoRA of Qwen2.5-7B with sequences of 2,048 tokens, one at a time, on a GeForce RTX 3060 with 12 GB."
        ),
        N_(
            "Allocated memory has no fitted constant. What the allocator loses is fitted to the reserved and "
            "device memory of measured runs: least mean error, where an under-estimate counts 1.4 times, a source"
            " with many rows weighs as the square root of their number, and a constant stays where it started "
            "unless rows move it. What a fit needs on top of the peak is the share that gives the most right "
            "verdicts over runs that failed, their nearest successes and the longest runs that finished."
        ),
    ),
    Topic(
        "inference_memory", "inference-memory",
        N_(
            "How much memory a model takes while it answers: weights, KV cache and the working set of one pass. "
            "It is counted from the shape of the model and from what the engine keeps; only what nvidia-smi shows"
            " on top is fitted."
        ),
        N_(
            "Llama-3.1-8B in Q4_K_M with llama.cpp on a GeForce RTX 4090: a prompt of 4,096 tokens, an answer of "
            "512."
        ),
        N_(
            "Allocated memory has no fitted constant. The three that are left are medians, by kind of engine, of "
            "what nvidia-smi showed beyond the counted memory and the CUDA context."
        ),
    ),
    Topic(
        "train_speed", "training-speed",
        N_(
            "How many tokens a GPU trains in a second. The seconds for one token are added up part by part: "
            "matrix products, attention, memory traffic, traffic between GPUs, and the host where it is the "
            "slower one."
        ),
        N_(
            "QLoRA of Qwen2.5-7B with sequences of 2,048 tokens on a GeForce RTX 3060 with 12 GB, with the loss "
            "computed in one kernel with the output head, so that it fits."
        ),
        N_(
            "The constants are fitted to measured tokens each second, in logarithms and so that single rows do "
            "not decide; each is drawn to a guess of its size, made while the rows were known. Constants of a "
            "software or a class of cards are deviations from a common one. The share of its rated speed that a "
            "card attains is not fitted: it comes from matrix products that were measured alone."
        ),
    ),
    Topic(
        "inference_speed", "inference-speed",
        N_(
            "How fast a prompt is read and an answer is written. A step of writing takes as long as reading the "
            "weights and the KV cache from memory; a prompt takes as long as its matrix products."
        ),
        N_(
            "Llama-3.1-8B in Q4_K_M with llama.cpp on a GeForce RTX 4090: a prompt of 4,096 tokens, an answer of "
            "512."
        ),
        N_(
            "The constants are fitted to measured tokens each second, by least squares of logarithms in which an "
            "outlier counts less. An engine's constant is its group's times a factor that starts at 1, so an "
            "engine with few rows stays near its group. A source with many rows weighs as the square root of "
            "their number."
        ),
    ),
    Topic(
        "cost", "cost",
        N_(
            "What a job costs in hours, electricity and money, rented or on own cards. It is arithmetic with "
            "dated prices, and every price can be your own; nothing is fitted."
        ),
        N_(
            "20 million tokens of QLoRA on Qwen2.5-7B, the job of the page about the speed of training, on a GeForce "
            "RTX 3060 with 12 GB: at home, or rented."
        ),
        "",
    ),
)  # fmt: skip
BY_PROGRAM = {topic.program: topic for topic in TOPICS}
# What the example of the costs takes as given besides prices of the guide.
GIVEN_COSTS = N_(
    "For the example: electricity at 0.15 USD a kWh, half of the price back at resale, 40 hours of use a week."
)
