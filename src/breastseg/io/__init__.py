"""One file a format: what is read, and writing whole or not at all."""
