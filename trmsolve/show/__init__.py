"""What a person watches on the terminal. Computes nothing of what it shows."""
