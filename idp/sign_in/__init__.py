"""The steps of signing in: address, password or passkey, second factor. Start at `views`.

`policy` holds the rules; `password`, `code` and `passkey` are the proofs; `completion` is the moment
in which somebody is signed in. Each step ends by going back to `authorize.resume`, which asks
`next_step` what is missing.
"""

from idp.sign_in.steps import next_step, session_for

__all__ = ["next_step", "session_for"]
