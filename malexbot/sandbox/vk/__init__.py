"""A loopback VK: its API, its Bots Long Poll server, and what people do there."""
