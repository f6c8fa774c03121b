"""Whom TLS trusts: the machine's own authorities, or the operator's file instead."""

from __future__ import annotations

import ssl
from pathlib import Path

from models.errors import SettingsError


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Certificates and host names are checked. ca_file: PEM. Raises SettingsError when it cannot be read."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # ssl.SSLError is one
        raise SettingsError(
            f"The certificates in {ca_file} cannot be read ({error}): name a PEM file with the authority's certificate."
        ) from error
