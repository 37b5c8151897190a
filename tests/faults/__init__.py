"""Each fault against the daemon as a process: one at a time, or all at random."""
