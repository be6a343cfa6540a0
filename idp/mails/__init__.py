"""Mails of the identity program: put into the outbox by `service`, written and sent by `delivery`."""
