"""A project's labelled cases to a new bundle beside the old one, both scored on held-out cases."""
