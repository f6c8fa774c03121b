"""From the shared language to the API's schemas: pure, no queries."""
