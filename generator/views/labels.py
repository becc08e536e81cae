"""Words for the codes that data files use. Kept here so that a new code cannot go unnamed."""

from __future__ import annotations

from generator.i18n import N_

MARKETS = {
    "geforce": N_("GeForce desktop"),
    "titan": N_("TITAN"),
    "workstation": N_("Workstation"),
    "datacenter": N_("Data center"),
    "jetson": N_("Jetson"),
    "laptop": N_("Laptop"),
}
GROUPS = {**MARKETS, "desktop_ai": N_("Desktop AI system")}
FORM_FACTORS = {
    "pcie_card": N_("PCIe card"),
    "sxm_module": N_("SXM module (server board)"),
    "superchip": N_("Superchip (with a Grace CPU)"),
    "soc_module": N_("Module (system on chip)"),
    "desktop_system": N_("Complete desktop system"),
    "laptop": N_("Soldered in a laptop"),
}
STATES = {
    "none": N_("none"),
    "emulated": N_("emulated, slow"),
    "unsupported": N_("not supported"),
    "unknown": N_("not published"),
}
PROOFS = {
    "measured": N_("measured"),
    "published": N_("published"),
    "derived": N_("derived"),
    "estimated": N_("estimated"),
}
STATUSES = {
    "supported": N_("supported"),
    "limited": N_("with limits"),
    "emulated": N_("emulated, slow"),
    "unsupported": N_("not supported"),
    "end_of_life": N_("ended"),
}
TOPICS = {
    "conflict": N_("Sources disagree"),
    "trap": N_("Trap"),
    "variant": N_("Variants"),
    "measured": N_("Measured by others"),
    "limit": N_("Limits of the data"),
}
PRICE_KINDS = {
    "launch": N_("Launch price"),
    "retail": N_("New, retail"),
    "used": N_("Used"),
    "rental": N_("Rent per hour"),
    "spot": N_("Rent per hour, spot"),
}
TIERS = {
    "on_demand": N_("on demand"),
    "spot": N_("spot"),
    "mixed": N_("marketplace minimum"),
    "community": N_("community host"),
    "secure": N_("data-center host"),
    "production": N_("production tier"),
}
CONFIDENCE = {"high": N_("high"), "medium": N_("medium"), "low": N_("low")}
SOURCE_KINDS = {
    "vendor": N_("vendor"),
    "vendor_copy": N_("copy of a vendor document"),
    "paper": N_("paper"),
    "database": N_("database"),
    "press": N_("press"),
    "measurement": N_("measurement"),
    "repository": N_("repository"),
    "reseller": N_("reseller"),
    "notes": N_("expert notes"),
    "price_snapshot": N_("price snapshot"),
    "weak": N_("weak source"),
}
MODEL_KINDS = {
    "dense_decoder": N_("Language models, dense"),
    "moe_decoder": N_("Language models, mixture of experts"),
    "encoder": N_("Encoders"),
    "encoder_decoder": N_("Encoder-decoders"),
    "vit": N_("Vision transformers"),
    "cnn": N_("Convolutional networks"),
    "diffusion": N_("Diffusion models"),
    "recommender": N_("Recommenders"),
}
GLOSSARY_TOPICS = {
    "memory": N_("Memory"),
    "compute": N_("Compute"),
    "formats": N_("Number formats"),
    "training": N_("Training"),
    "finetuning": N_("Fine-tuning"),
    "inference": N_("Inference"),
    "parallelism": N_("Several GPUs"),
    "hardware": N_("Hardware"),
    "software": N_("Software"),
    "measurement": N_("Measuring"),
    "buying": N_("Buying and renting"),
}
EVERY_LABEL = {
    "market": MARKETS, "group": GROUPS, "form_factor": FORM_FACTORS, "state": STATES,
    "proof": PROOFS, "status": STATUSES, "topic": TOPICS, "price_kind": PRICE_KINDS,
    "tier": TIERS, "confidence": CONFIDENCE, "source_kind": SOURCE_KINDS,
    "glossary_topic": GLOSSARY_TOPICS,
    "model_kind": MODEL_KINDS,
}  # fmt: skip
