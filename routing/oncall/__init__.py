"""Who is on call: rotations in wall time, and whom a step of an escalation reaches."""
