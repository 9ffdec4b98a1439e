"""Raw files in, `Acquisition` out. One module a format; people's names stop here."""
