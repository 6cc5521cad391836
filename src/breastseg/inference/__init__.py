"""Running a bundle on images, without torch."""
