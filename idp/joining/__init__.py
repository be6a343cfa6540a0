"""Telling people that an account added them (TEN-7). Start at `service.hear`."""
