"""People: who has an ID, and under which address. Start at `service`; `address` reads addresses."""
