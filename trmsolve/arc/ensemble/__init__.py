"""Copies of networks of two kinds learn one task at once, a few on each core, and vote.

Most copies learn the task from nothing (``compression``). The first on each core begin with a
network that was trained on other tasks (``planes``).
"""
