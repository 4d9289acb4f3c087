"""What is no test, and is run by one in a process of its own, is not collected."""

collect_ignore = ["instrumented.py"]
