"""Who is handed the events: each module is one way out, with its own promise."""
