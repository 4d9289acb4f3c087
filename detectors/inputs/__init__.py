"""Inputs against a reference: texts, features, and what a finding says."""
