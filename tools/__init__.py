"""What `./dev` runs beside the tests."""
