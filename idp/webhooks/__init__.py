"""Telling people of their account's webhooks, where no program can. Start at `letters.hear`."""
