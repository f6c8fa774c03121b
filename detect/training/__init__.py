"""From a data folder to shipped weights: `fit.train` is the front door. Needs the extra `train` (torch, ultralytics)."""
