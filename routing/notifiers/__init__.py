"""Channels, one a file: each says which calls deliver a message and what the answers mean; no IO."""
