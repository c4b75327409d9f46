"""The Hugging Face Hub: addresses, cache, client, transfer.

Knows bytes and commits, and nothing of weights.
"""
