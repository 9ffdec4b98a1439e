"""The API of CloudMR Brain as Python sees it: `cloudmr.client.brain.BrainClient`, and what it is made of."""
