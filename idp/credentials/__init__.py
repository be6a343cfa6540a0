"""What people prove themselves with: one module a factor.

`password` (with `hashing`, `foreign_hashes` and `blocklist`), `email_code`, `mailed_link`, `totp`,
`recovery_codes`. All that sign-in, registration, recovery and the account pages know about a factor is here.
"""
