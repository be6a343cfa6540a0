"""Notices: mails that tell people what was done with their ID, each with a way to say «not me».

All of them go through `service.tell`, in the transaction of what they tell of.
"""
