"""«This was not me»: one click in a notice locks the ID until its owner sets a new password.

`locks` says who is locked, and `sign_in.completion` lets nobody in who is. `links` are what the
notices carry. Start at `service`.
"""
