"""From a recipe and data to a trained network; what it does is logged, and silent by default."""

import logging

logging.getLogger(__name__).addHandler(logging.NullHandler())
