"""Training on volumes: recipe, patches, task, run."""
