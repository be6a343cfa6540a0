"""The operator blocks and unblocks an ID (ID-11): out of every application within a second."""
