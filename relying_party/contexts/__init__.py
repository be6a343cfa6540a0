"""For which account, and which company of it, somebody works: in the path, and in a grant of its own."""
