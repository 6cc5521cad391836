"""Running a bundle: its folder, the ONNX network, post-processing, streams of images."""
