"""What the identity program says, unasked: who was blocked, whose permissions changed (RFC 8417, 8935).

Start at `views`. `feed` knows whether all of it reaches us; while that is in doubt, nothing is believed.
"""
