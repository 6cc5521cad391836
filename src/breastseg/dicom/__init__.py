"""DICOM objects made from results: segmentation, structured report, presentation state."""
