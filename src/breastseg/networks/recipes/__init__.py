"""What each architecture is made of, by family; `breastseg.networks.recipe` gathers them."""
