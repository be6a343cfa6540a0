"""What a person is in an account now: memberships, roles, rights. Read anew at every use; start at `service.of`."""
