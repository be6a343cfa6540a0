"""What the operator sees of a running program: logs, counters, health. Start at `logs`."""
