"""Records are what is shown: frozen copies of rows, never the rows themselves."""
