"""What the demo company sells, to whom, and how these customers behave: the parameters of the generating process."""

from __future__ import annotations

from dataclasses import dataclass

COMPANY_NAME = "Fernhill Software"
TIME_ZONE = "Europe/Berlin"
FISCAL_YEAR_START_MONTH = 2
REPORTING_CURRENCY = "EUR"
HISTORY_YEARS = 3
HORIZON_DAYS = 548  # an open renewal gets its row about 18 months ahead


@dataclass(frozen=True)
class SegmentProfile:
    name: str
    share: float  # of accounts
    renewal_logit: float
    median_amount: float
    amount_sigma: float  # of the logarithm
    term_shares: tuple[float, float, float]  # 12, 24, 36 months
    auto_renew_share: float
    uplift_rate: float
    order_days: float  # added to the industry's usual day of ordering
    ramp_share: float  # of terms longer than a year


@dataclass(frozen=True)
class IndustryProfile:
    name: str
    shares: tuple[float, float, float, float]  # weight within each segment, in the order of SEGMENTS
    renewal_logit: float
    order_days: float  # usual day of ordering against the due date
    late_days: int  # how late this industry orders and still renews


@dataclass(frozen=True)
class RegionProfile:
    name: str
    theatre: str
    share: float
    currency: str


@dataclass(frozen=True)
class PolicyProfile:
    segment: str | None
    industry: str | None
    early_days: int
    grace_days: int
    late_days: int
    is_business: bool = False


TERM_MONTHS = (12, 24, 36)
SEGMENTS = (
    SegmentProfile("Enterprise", 0.10, 2.75, 86_000, 0.95, (0.42, 0.18, 0.40), 0.30, 0.045, 0, 0.45),
    SegmentProfile("Mid-market", 0.27, 2.05, 21_000, 0.80, (0.66, 0.14, 0.20), 0.45, 0.055, 0, 0.25),
    SegmentProfile("SMB", 0.52, 1.30, 3_600, 0.75, (0.93, 0.05, 0.02), 0.65, 0.070, -3, 0.0),
    SegmentProfile("Public sector", 0.11, 2.90, 34_000, 0.90, (0.55, 0.15, 0.30), 0.12, 0.025, 9, 0.10),
)
PUBLIC_SECTOR = 3
INDUSTRIES = (
    IndustryProfile("Banking and insurance", (3, 1.5, 0.5, 0), 0.25, -19, 30),
    IndustryProfile("Biotech and pharma", (2, 1.5, 0.5, 0), 0.10, -11, 45),
    IndustryProfile("Construction", (0.7, 1.5, 2, 0), -0.25, 7, 90),
    IndustryProfile("Energy and utilities", (1.5, 1, 0.5, 0.4), 0.20, -9, 60),
    IndustryProfile("Higher education", (0, 0, 0, 3), 0.15, 4, 120),
    IndustryProfile("Government", (0, 0, 0, 4), 0.10, 0, 90),
    IndustryProfile("Healthcare", (1, 1.5, 1, 2), 0.05, -3, 60),
    IndustryProfile("Logistics", (1.5, 2, 1.5, 0), -0.05, -7, 45),
    IndustryProfile("Manufacturing", (2.5, 3, 1.5, 0), 0.05, -4, 75),
    IndustryProfile("Media and agencies", (0.7, 1.5, 3, 0), -0.40, -1, 30),
    IndustryProfile("Retail and hospitality", (1.5, 2, 3, 0), -0.35, -3, 45),
    IndustryProfile("Software", (1.5, 2, 3, 0), -0.10, -15, 30),
)
REGIONS = (
    RegionProfile("DACH", "EMEA", 0.20, "EUR"),
    RegionProfile("UK and Ireland", "EMEA", 0.14, "GBP"),
    RegionProfile("Nordics", "EMEA", 0.09, "EUR"),
    RegionProfile("Southern Europe", "EMEA", 0.09, "EUR"),
    RegionProfile("US East", "AMER", 0.17, "USD"),
    RegionProfile("US West", "AMER", 0.11, "USD"),
    RegionProfile("Canada", "AMER", 0.05, "USD"),
    RegionProfile("Australia and New Zealand", "APAC", 0.07, "USD"),
    RegionProfile("Japan", "APAC", 0.05, "EUR"),
    RegionProfile("South-East Asia", "APAC", 0.03, "USD"),
)
THEATRES = ("EMEA", "AMER", "APAC")
# Units of EUR for one unit, at the start of each half-year of the history; the last one stays in force.
RATES = {
    "USD": ("0.92", "0.94", "0.93", "0.92", "0.97", "0.88", "0.86", "0.87"),
    "GBP": ("1.13", "1.16", "1.17", "1.19", "1.20", "1.15", "1.14", "1.15"),
}
POLICIES = (
    PolicyProfile("Public sector", None, 60, 5, 60, is_business=True),
    PolicyProfile(None, "Banking and insurance", 45, 0, 30),
    PolicyProfile(None, "Construction", 30, 5, 90),
    PolicyProfile(None, "Higher education", 45, 10, 120),
    PolicyProfile(None, "Software", 30, 0, 30),
    PolicyProfile("Enterprise", "Manufacturing", 60, 0, 75),
)
PRODUCTS = ("Insight Analytics", "Flow Automation", "Shield Compliance", "Relay Integrations", "Atlas Planning")
# Weight of each month as the month of the due date, from January; fiscal quarters end in January, April, July, October.
MONTH_WEIGHTS = (2.6, 0.6, 0.8, 1.5, 0.7, 0.9, 1.4, 0.5, 0.8, 1.5, 0.7, 1.3)
MONTH_END_SHARE = 0.45

FIRST_TERM_LOGIT = -0.45
CHAMPION_LEFT_LOGIT = -0.9
STATE_LOGIT = 0.85
PRICE_LOGIT = -8.0  # for each 100 % of uplift above 5 %
QUARTER_SHOCK = 0.25
HEALTH_SHARE = 0.6  # of z that lasts; the rest is new at each decision, so that z has variance 1
CHAMPION_LEFT_SHARE = 0.07
SUPPORT_PLANS = ("basic", "standard", "premium")
SUPPORT_PLAN_SHARES = (0.45, 0.38, 0.17)
SUPPORT_PLAN_LOGITS = (-0.35, 0.0, 0.25)
SUPPORT_PLAN_RISKS = {"basic": 0.7, "standard": 0.4, "premium": 0.15}
INTEGRATION_LOGIT = 0.06
UPLIFT_CAPS = (0.03, 0.05, 0.07, 0.10)

OPEN_RENEWALS_PER_REP = 400
REPS_PER_TEAM = 12
MIN_REPS = 6
