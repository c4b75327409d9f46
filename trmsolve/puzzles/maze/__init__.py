"""Mazes: rules, readers, symmetries, drawing, making and labelling."""
