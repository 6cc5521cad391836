"""The methods that came before the networks; one a file, each a `Segmenter`."""
