"""A DICOM node: studies in, results out. It is given what opens a method, and opens none itself."""
