"""Scoring a segmenter on cases."""
