"""Deterministic steps between an image and a network, and back."""
