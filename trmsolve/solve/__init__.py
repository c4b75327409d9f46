"""Solving: refine until the network halts or the rules accept, under one view after another."""
