"""Solving as a service for other programs: the tools of ``trmsolve mcp``, with their bounds."""
