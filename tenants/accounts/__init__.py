"""Accounts: the tenants of the installation, and what closes, hands over and describes one."""
