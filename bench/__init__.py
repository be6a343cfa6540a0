"""The benchmarks: `python -m bench` prints every row of the performance targets that exists by now.

One run measures three things side by side, because only their ratios mean anything: ours, the peer
(npm `oidc-provider` with its memory adapter, `peer/`), and the floor (what the same server and the
password hash alone can do). Start at `__main__`; the rows stand in `rows.py`.
"""
