"""The applications that can be opened from the portal, and which ones somebody used last.

Start at `views`; `catalogue` says what there is.
"""
