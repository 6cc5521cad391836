"""Labelling a data set with several readers: projects, the queue, consensus, and what it cost."""
