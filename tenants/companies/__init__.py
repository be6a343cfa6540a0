"""Companies: what an account works for. The first one is the main company."""
