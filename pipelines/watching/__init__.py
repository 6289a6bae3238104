"""After the model is in use: drift, and how what was said turned out."""
