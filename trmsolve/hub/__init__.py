"""The Hugging Face Hub: addresses, cache, client, transfer.

The package knows bytes and commits. It does not know what weights are.
"""
