"""Security events: applications hear within a second what was taken away or changed (RFC 8417, 8935).

`events` says what becomes of a fact, `service` for whom, `delivery` sends it, `feeds` shows how it goes.
"""
