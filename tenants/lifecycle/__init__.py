"""The life of an account: how it begins, who it is handed to, how it ends. Start at `service`."""
