"""What dev/play is made of: reading a case, playing it, asking, and comparing with what was expected."""
