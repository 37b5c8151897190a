"""Each fault of the sandbox against the daemon as a process."""
