"""Pages and fragments of the web interface: one file per screen."""
