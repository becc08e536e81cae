"""Commands of ``python -m generator`` that answer questions; ``generator.__main__`` only wires them up."""
