"""The REST side: which request means what. A room for each kind of thing."""
