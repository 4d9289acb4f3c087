"""`python -m streams.cli`: the same as `oversight`."""

from streams.cli import main

main(prog_name="oversight")
