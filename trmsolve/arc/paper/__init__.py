"""The networks of the paper for ARC, with their table of task embeddings.

A newcomer may skip this folder.
"""
