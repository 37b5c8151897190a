"""What keeps the daemon alive: stopping, deadlines, threads, signals, systemd, logs."""
