"""A crowd: as many people, accounts and companies as a large installation has, to measure with."""
