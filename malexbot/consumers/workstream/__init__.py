"""Who the workstream log is told to: each module is one of them."""
