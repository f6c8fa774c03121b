"""The demonstration: a small district, real footage, ready-made sign-ins."""
