"""Scenes: random inputs on the background 0, such as noise, objects, rooms, panels and patterns.

Every scene is drawn in the sizes and colours of a setting. A scene that finds no room raises Unfit.
Knows nothing of rules.
"""
