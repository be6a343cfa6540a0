"""All factors lost: who knows the password and reads the mailbox asks the operator for help.

Asked for at the code page, decided by the operator who saw a proof, then a waiting time in which
the owner can object, then used once. Start at `views`; `service` is the person's side, `decisions`
the operator's. The requests themselves are in `idp.credentials.lost_factors`.
"""
