"""Creating an ID: address, proof of the mailbox, password or passkey. Start at `views`."""
