"""How fast CloudMR Brain is as a server: beside another one, for many at once, and with files."""
