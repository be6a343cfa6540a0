"""«Forgot password»: address, proof of the mailbox, new password. Start at `views`.

A reset signs nobody in and leaves the second factor alone.
"""
