"""From a data folder to shipped weights: `build.train` is the front door. Needs the extra `train` (torch, nncf)."""
