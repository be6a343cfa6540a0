"""What a process may remember between requests, and how it learns that it must forget.

Rows that change seldom and are read all the time (clients, keys) are kept in memory. They are good
at one version, which stands in the database and which every request reads; whoever changes such a
row moves the version on in the same transaction.
"""

from idp.caches.service import ALL_VERSIONS, BoundedCache, VersionedCache, move_on, read_already

__all__ = ["ALL_VERSIONS", "BoundedCache", "VersionedCache", "move_on", "read_already"]
