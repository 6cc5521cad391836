"""Synthetic images with exactly known masks: `ultrasound` and `volume`."""
