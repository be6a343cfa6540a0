"""The portal: where a person's applications, account and help begin. A relying party.

Start at `app.create_app`.
"""
