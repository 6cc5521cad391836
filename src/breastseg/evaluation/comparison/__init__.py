"""Several methods on the same cases: which is better, where, and how sure that is."""
