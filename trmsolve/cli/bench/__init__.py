"""``trmsolve bench``: how fast a network solves or trains here, and what the machine could do."""
