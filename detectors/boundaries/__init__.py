"""Who touched what of whom: parties, breaches between them, and what a finding says."""
