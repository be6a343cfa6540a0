"""The one way through /authorize: the request is checked, the missing step found, the answer given.

`request` checks (in order), `dispatch` decides what is missing, `response` answers. Start at
`views.start`. Every step of signing in and of consent comes back to `views.resume`.
"""
