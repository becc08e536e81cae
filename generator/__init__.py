"""The GPU Field Guide's generator: structured facts in, pages out."""

__version__ = "0.1.0"
