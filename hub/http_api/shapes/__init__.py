"""What goes over the wire: one model per record, ids as strings, instants as RFC 3339."""
