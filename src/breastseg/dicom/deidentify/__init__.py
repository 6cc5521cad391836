"""De-identification of DICOM images: header, pixels, a second look at both, a report."""
