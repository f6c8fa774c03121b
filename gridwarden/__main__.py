"""`gridwarden` and `python -m gridwarden`. An error raised on purpose ends with its sentence and exit code 1."""

from __future__ import annotations

import sys

from models.errors import GridwardenError


def main() -> None:
    from gridwarden.cli import app

    try:
        app()
    except GridwardenError as error:
        print(f"gridwarden: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
