"""What people have granted to applications: codes, and the refresh tokens that came of them.

A grant begins as an authorization code and is all that one sign-in gave one application. Whoever
checks a token asks whether its grant still stands: `state.find_for_token`. Ending it ends all.
"""
