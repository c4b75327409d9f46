"""``trmsolve weights``: list, inspect, verify, convert, pull and push."""
