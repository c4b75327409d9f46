"""ARC tasks made by rules, without end: scenes, rules, and the tasks put together from them."""
