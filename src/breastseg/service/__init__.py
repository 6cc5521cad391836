"""The HTTP service: routes, jobs, the store, accounts; what `breastseg serve` runs."""
