"""Creating an ID: address, proof of the mailbox, password. Start at `views`."""
