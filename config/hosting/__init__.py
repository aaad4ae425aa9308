"""The servers and processes of a one-machine installation: what `make run` keeps alive."""
