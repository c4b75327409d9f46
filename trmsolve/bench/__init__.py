"""Measures how fast and at what cost a network solves and trains. Changes no network."""
