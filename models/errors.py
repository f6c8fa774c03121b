"""Every error gridwarden raises on purpose.

A message says what happened, to which thing, and what to do about it: it is shown to people as it is.
Secrets (passwords, tokens, the user part of a URL) never go into one.
"""

from models.text import Text


class GridwardenError(Exception):
    """Base of all; the command line prints its message and exits 1."""


class SettingsError(GridwardenError):
    """A setting, district file or command argument is wrong; names the file, the place in it and the fix."""


class DataFolderError(GridwardenError):
    """The data folder cannot be used: not writable, full, or in use by another gridwarden."""


class PortInUseError(GridwardenError):
    """A port gridwarden should listen on is taken."""


class SourceError(GridwardenError):
    """A camera gave no picture. `reason` is one of `models.places.Trouble`."""

    def __init__(self, message: str, *, reason: str = "unreachable") -> None:
        super().__init__(message)
        self.reason = reason


class WeightsError(GridwardenError):
    """Weights are missing, altered, or not what their manifest says; never loaded then."""


class DatasetError(GridwardenError):
    """A training or evaluation folder cannot be used; names the file."""


class PayloadError(GridwardenError):
    """A message from outside (MQTT, HTTP) does not have the agreed form; names the field."""


class StepRefusedError(GridwardenError):
    """A lifecycle step is not allowed now, or not to this actor.

    text: why, as people read it, in both languages; state: where the incident stands now.
    """

    def __init__(self, text: Text, *, state: str) -> None:
        super().__init__(text.en)
        self.text = text
        self.state = state


class NotFoundError(GridwardenError):
    """The named thing does not exist, or the asker has no right to know that it does."""


class NotAllowedError(GridwardenError):
    """The asker is known but has no right to this."""
