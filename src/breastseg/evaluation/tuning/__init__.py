"""Searching the parameters of a classical method on cases with ground truth."""
