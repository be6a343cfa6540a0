"""What the portal and the CRM share: they are clients of the identity program, over HTTP alone.

Start at `install.install`, which gives a program its sign-in, sessions, tokens and sign-out. Tables
come as mixins that each program makes its own.
"""
