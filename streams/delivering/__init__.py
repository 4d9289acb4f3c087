"""Notify: the agent on pages, attempts at channels, rendering."""
