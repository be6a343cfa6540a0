"""Facts: what happened, written with the change itself, for everybody who has to hear of it.

Start at `service.note`. What comes of facts (security events, webhooks) is made by the worker.
"""
