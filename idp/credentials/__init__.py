"""What people prove themselves with: one module a factor.

`password` (with `hashing`, `foreign_hashes` and `blocklist`), `temporary_password`, `email_code`,
`mailed_link`, `totp`, `passkeys` (with `ceremonies`), `recovery_codes`; `lost_factors` for when all
are gone. `own_access` looks over all of them. All that sign-in, registration, recovery and the account pages know about a factor is here.
"""
