"""Puts a recording, the style and the script into one HTML document.

No text of the recording can become markup or script. In the JSON every character that HTML or
JavaScript could take for its own is escaped. The browser is told to run no script but the page's,
which it knows by its hash, and to load nothing.
"""

import base64
import hashlib
import html
import json
from importlib.resources import files
from string import Template

from trmsolve.show.page.contents import contents_of
from trmsolve.trace.recording import Recording

ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&'\u2028\u2029"}
"""How JSON writes the characters that mean something around it."""


def document_of(recording: Recording, title: str, seconds: float) -> str:
    """The document; ``seconds`` is how long a frame is shown when it plays."""
    script = _resource("page.js")
    style = _resource("page.css")
    contents = contents_of(recording, seconds)
    return Template(_resource("page.html")).substitute(
        title=html.escape(title),
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        data=safe_json(contents),
    )


def safe_json(value: object) -> str:
    """JSON that stays JSON inside of a document, in ASCII."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.translate(ESCAPES)


def _hash(text: str) -> str:
    """The name of a script or style for the browser's policy."""
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256-" + base64.b64encode(digest).decode()


def _resource(name: str) -> str:
    return files("trmsolve.show.page").joinpath(name).read_text(encoding="utf-8")
