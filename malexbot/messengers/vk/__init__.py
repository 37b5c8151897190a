"""VK: its API, its Bots Long Poll, and what its words mean."""
