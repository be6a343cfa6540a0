"""Applications bring people into accounts by themselves (TEN-15).

`api` turns requests into use cases; `service` carries them out; `power` says what an application may
do in an account; `drift` compares what it asked for with what there is; `delivery` writes the mail,
which alone depends on whether the person has a way in.
"""
