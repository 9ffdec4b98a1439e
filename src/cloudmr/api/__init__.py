"""The Brain over HTTP: a file of routes per noun; each route only translates between HTTP and a service."""
