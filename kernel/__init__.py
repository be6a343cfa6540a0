"""What every program needs and none owns. No word of the domain is known here."""
