"""The steps of signing in: address, password, second factor. Start at `views`.

`policy` holds the rules, `password` and `code` are the two proofs, `completion` is the moment in
which somebody is signed in. Each step ends by going back to `authorize.resume`, which asks
`next_step` what is missing.
"""

from idp.sign_in.steps import next_step, session_for

__all__ = ["next_step", "session_for"]
