"""The first access: a temporary password or a welcome link for who has no password yet.

A program or the operator gives it with `service.give`; only the mailbox learns it. Start at
`service`, then `own_password`: how the person sets a password of their own with it.
"""
