"""The network: its configuration, its parts, and one improvement cycle.

It knows tensors and no puzzle.
"""
