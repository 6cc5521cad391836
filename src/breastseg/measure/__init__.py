"""What a radiologist reads off an outline."""
