"""Where events come from and replies go: one folder a platform."""
