"""What: contracts, the renewals they come up for, the rules these are judged by, and the scores that result."""

from renewals.models.contracts import Contract, Offer
from renewals.models.history import ChangeBatch
from renewals.models.imports import ImportBatch, ImportFinding, ImportPart
from renewals.models.policies import RiskFactor, RiskWeightVersion, TimingPolicy, TimingPolicyVersion
from renewals.models.quality import AccountBreach, AccountName, DataRule, QualitySnapshot, RenewalQuality
from renewals.models.renewals import ChurnReason, Renewal, RenewalQuerySet, Stage
from renewals.models.scores import RenewalScore, RiskBand, TimingClass

__all__ = [
    "AccountBreach",
    "AccountName",
    "ChangeBatch",
    "ChurnReason",
    "Contract",
    "DataRule",
    "ImportBatch",
    "ImportFinding",
    "ImportPart",
    "Offer",
    "QualitySnapshot",
    "Renewal",
    "RenewalQuality",
    "RenewalQuerySet",
    "RenewalScore",
    "RiskBand",
    "RiskFactor",
    "RiskWeightVersion",
    "Stage",
    "TimingClass",
    "TimingPolicy",
    "TimingPolicyVersion",
]
