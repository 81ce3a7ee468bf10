"""``mwaa plugins doctor``: the whole of what it prints, on this release."""
