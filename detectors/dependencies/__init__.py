"""Providers and tools: what is their fault, how long they take, what never ends, and what a finding says."""
