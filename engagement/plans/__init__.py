"""Playbooks: what to do in a case that comes again and again; and the plans that are run by them."""
