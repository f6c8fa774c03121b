"""One module per subject of the HTTP API; each is thin: rights, one call into dispatch, a schema back."""
