"""The web pages: templates around the same services that the API calls."""
