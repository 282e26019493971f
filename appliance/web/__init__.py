"""Tier 9: the web application.  REST, WebSockets, pages; every route with its right."""
