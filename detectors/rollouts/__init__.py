"""Canary against control: blocks, scores, evidence, arrivals, and the sessions that are compared."""
