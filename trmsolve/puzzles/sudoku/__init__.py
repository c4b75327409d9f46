"""Sudoku: rules, readers, symmetries, drawing, making and rating."""
