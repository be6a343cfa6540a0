"""Which application may do what for a person, as that person allowed it (CON-1).

`service` knows what was allowed; `views` asks. Who asks hands in a `Question`, so that nothing here
knows what an authorization request is.
"""
