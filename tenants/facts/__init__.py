"""Facts: what happened to people and accounts, for the layers above to tell others."""
