"""Durations by part of an agent, how full its limits are, and what a finding says."""
