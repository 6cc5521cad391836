"""Fitting the numbers of a method that stand outside its network: thresholds, temperature, scores.

Everything here is fitted on cases that the method was not trained on and that are not reported on.
"""
