"""What: contracts, the renewals they come up for, the rules these are judged by, and the scores that result."""

from renewals.models.contracts import Contract, Offer
from renewals.models.feeds import CalendarFeed
from renewals.models.history import ChangeBatch, ForgottenHistory
from renewals.models.imports import ImportBatch, ImportFinding, ImportPart
from renewals.models.jobs import BulkEdit, BulkEditRow, Export, FilePart
from renewals.models.notes import Mention, Note
from renewals.models.open_accounts import OpenAccount
from renewals.models.overrides import Override, OverrideQuerySet
from renewals.models.policies import RiskFactor, RiskWeightVersion, TimingPolicy, TimingPolicyVersion
from renewals.models.quality import AccountBreach, AccountName, DataRule, QualitySnapshot, RenewalQuality
from renewals.models.renewals import ChurnReason, Renewal, RenewalQuerySet, Stage
from renewals.models.scores import RenewalScore, RiskBand, TimingClass
from renewals.models.views import SavedView, SavedViewQuerySet

__all__ = [
    "AccountBreach",
    "AccountName",
    "BulkEdit",
    "BulkEditRow",
    "CalendarFeed",
    "ChangeBatch",
    "ChurnReason",
    "Contract",
    "DataRule",
    "Export",
    "FilePart",
    "ForgottenHistory",
    "ImportBatch",
    "ImportFinding",
    "ImportPart",
    "Mention",
    "Note",
    "Offer",
    "OpenAccount",
    "Override",
    "OverrideQuerySet",
    "QualitySnapshot",
    "Renewal",
    "RenewalQuality",
    "RenewalQuerySet",
    "RenewalScore",
    "RiskBand",
    "RiskFactor",
    "RiskWeightVersion",
    "SavedView",
    "SavedViewQuerySet",
    "Stage",
    "TimingClass",
    "TimingPolicy",
    "TimingPolicyVersion",
]
