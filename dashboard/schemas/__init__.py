"""The HTTP API in types: what goes over the wire, and nothing else; one module for each subject."""
