"""Human oversight of operations: what waits for a person, who decides and how, what goes ahead without."""
