"""All pictures. Only this package imports matplotlib."""
