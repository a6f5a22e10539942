"""The admin API: tenants and their keys, for who runs the service."""
