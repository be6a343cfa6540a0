"""The account, and perhaps its company, in which a person uses an application (OP-3).

`choice` decides which one a request leads to, `service` reads what that takes, `views` asks the person
where there are several, and `claims` says what tokens tell of it.
"""
