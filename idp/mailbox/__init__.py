"""Proof of a mailbox: one mail with a code for this browser and a link for any.

Registration and recovery ask for it in the same words. Nobody looks the address up while the page
is answered; the worker does, and decides what the mail says. Start at `service`.
"""
