"""T4, T5 and T7's peers, installed and measured beside the hub in one run."""
