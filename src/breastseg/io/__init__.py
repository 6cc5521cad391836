"""Reading images: one file a format; `open_image` picks."""
