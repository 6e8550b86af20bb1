"""Functions that draw all pictures. Only this package imports matplotlib."""
