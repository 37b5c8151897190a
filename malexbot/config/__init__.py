"""The settings: one model, read from YAML with all its problems told at once."""
