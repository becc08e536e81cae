"""Thin adapters between the pages of generator.render and whatever publishes them."""
