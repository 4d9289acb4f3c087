"""Costs by model and by session, and what a finding says."""
