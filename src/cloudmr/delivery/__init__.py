"""How messages leave the Brain: mail through a server or into a folder, webhooks over HTTPS."""
