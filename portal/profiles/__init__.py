"""The portal's own profile of a person, made at the first entry; the ID itself lives elsewhere."""
