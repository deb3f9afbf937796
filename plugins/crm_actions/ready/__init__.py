"""Ready rules by theme."""
