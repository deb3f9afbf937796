"""Features that use only the public hooks, as a stranger's plugin would."""
