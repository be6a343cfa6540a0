"""The keys that sign tokens: made, rotated, withdrawn, published. Start at `service`."""
