"""`python -m dashboard.openapi > dashboard/web/openapi.json`: what the front end's types are generated from."""

import json
import sys

from dashboard.app import bare_app, describe


def document() -> str:
    return json.dumps(describe(bare_app()), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
