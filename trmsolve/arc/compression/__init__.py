"""Answers an ARC task by compressing it: a small network is trained on that one task, from nothing.

The idea is that of CompressARC (arXiv 2512.06104). Random latents and a small network have to
explain all grids of the task, and every bit that the latents carry is paid for. What explains the
task in the fewest bits tends to be its rule, and the rule completes the outputs that are asked for.
"""
