"""What the demo company knows of its customers besides its book. Each room fills its part; `STEPS` is their order."""
