"""Data sets, their audit and their splits."""
