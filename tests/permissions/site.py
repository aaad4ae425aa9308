"""The addresses that belong to no part: home, health, and signing in (django-allauth)."""

from tests.permissions import Row, everybody

ROWS = [
    Row("home", everybody(302)),
    Row("healthz", everybody(200, anonymous=200)),
    Row("account_login", everybody(302, anonymous=200)),
    Row("account_logout", everybody(200)),
    Row("account_logout", everybody(302), method="post"),
    Row("account_signup", everybody(302, anonymous=200)),  # says that it is closed
    Row("account_inactive", everybody(200, anonymous=200)),
    Row("account_reauthenticate", everybody(200)),
    Row("account_email", everybody(200)),
    Row("account_email_verification_sent", everybody(200, anonymous=200)),
    Row("account_change_password", everybody(200)),
    Row("account_set_password", everybody(302)),
    Row("account_reset_password", everybody(200, anonymous=200)),
    Row("account_reset_password_done", everybody(200, anonymous=200)),
    Row("account_reset_password_from_key_done", everybody(200, anonymous=200)),
    Row(
        "account_reset_password_from_key",
        everybody(200, anonymous=200),  # says that the link is not a good one
        kwargs={"uidb36": "1", "key": "not-a-key"},
    ),
    Row("account_confirm_email", everybody(200, anonymous=200), kwargs={"key": "not-a-key"}),
    Row("account_confirm_login_code", everybody(302)),
]
