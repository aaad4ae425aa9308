"""Writes to the rules. Each is one transaction; a change that scoring reads asks for a recompute."""

from renewals.rules.services.company import RateInForce, RateMissing, add_rate, delete_rate, update_company
from renewals.rules.services.lists import StillInUse, counted, delete_item, move_stage, save_item
from renewals.rules.services.timing import VersionInForce, add_timing_version, delete_timing_version
from renewals.rules.services.weights import add_factor, save_weights, share_weights, update_factor

__all__ = [
    "RateInForce",
    "RateMissing",
    "StillInUse",
    "VersionInForce",
    "add_factor",
    "add_rate",
    "add_timing_version",
    "counted",
    "delete_item",
    "delete_rate",
    "delete_timing_version",
    "move_stage",
    "save_item",
    "save_weights",
    "share_weights",
    "update_company",
    "update_factor",
]
