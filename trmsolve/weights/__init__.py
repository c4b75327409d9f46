"""Weights files: read and written strictly, converted, found by name, described."""
