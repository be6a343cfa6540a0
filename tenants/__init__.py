"""The bottom of the identity program: people now; accounts, companies and roles stand on them."""
