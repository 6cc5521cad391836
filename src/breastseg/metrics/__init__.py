"""How well an outline agrees with the truth."""
