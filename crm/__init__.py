"""The property developer's CRM. A relying party.

Start at `app.create_app`.
"""
