"""«Strona główna»: the first page, from which everything else is one step away.

Start at `views`; `quick_access` holds the three groups of links.
"""
