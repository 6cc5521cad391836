"""Searching the parameters of a classical method on cases with a known truth."""
