"""A file of routes per page; each calls services and hands what they return to a template."""
