"""Dead letters: what could not be taken, why, and how it is put back."""
