"""Who is signed in, in which browser, and in which applications. Start at `service`.

`devices` remembers browsers, `applications` gives each application its own name for a session.
"""
