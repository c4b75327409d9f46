"""Tests of copies that learn a task together."""
