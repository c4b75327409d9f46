"""A recording as one HTML page that needs nothing else: no network and no other file.

``contents`` turns a recording into values for JSON, with every figure already in words.
``document`` puts them into the page. ``page.html``, ``page.css`` and ``page.js`` are the page
itself, whose script only draws.
"""
