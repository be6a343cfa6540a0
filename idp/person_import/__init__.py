"""People from another system, with the passwords they have. Start at `service.bring_in`.

`files` reads CSV and JSON Lines, `rows` decides what a row says, `service` makes the people.
"""
