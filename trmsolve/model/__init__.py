"""The network: its configuration, its parts, and one improvement cycle.

Knows tensors and no puzzle.
"""
