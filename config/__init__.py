"""Settings, wiring and the local stack: the lowest layer, which knows nothing of the rules above it."""
