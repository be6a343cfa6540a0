"""What the provider has taken back: sign-ins and people that may not come in with old proof.

A logout can overtake the sign-in that it ends; this table lets the later one know.
"""
