"""Streams of failures: windows, burn rates, the alarm on a rate, and what a finding says."""
