"""The API: what the UI, the command line and other clients ask the collector."""
