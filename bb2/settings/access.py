"""The settings of what people are asked, and of how long what they grant lasts."""

from pathlib import Path

from bb2.settings.kinds import Setting, one_of, whole

ACCESS = (
    Setting(
        "bb2.demographic_default",
        one_of("share", "withhold", "ask"),
        "share",
        "How the choice about personal information stands when the page opens; `ask`: neither, the person must choose.",
    ),
    Setting(
        "bb2.sensitive_codes",
        Path,
        None,
        "A CSV file with the columns `sensitivity`, `kind`, `code`: codes beyond the lists of the plugins by which a "
        "record is sensitive. After a change: `bb2 judge`.",
    ),
    Setting("bb2.consent_months", whole(1, 120), "13", "How long an ongoing app's access lasts."),
    Setting("bb2.access_token_lifetime", whole(60, 86_400), "3600", "Seconds that an access token lives."),
    Setting("bb2.authorization_code_lifetime", whole(10, 600), "60", "Seconds that an authorization code lives."),
    Setting(
        "bb2.refresh_replay_window",
        whole(0, 60),
        "0",
        "Seconds in which a confidential client may repeat its last refresh, for a lost response.",
    ),
    Setting(
        "bb2.key_publish_seconds",
        whole(60, 2_592_000),
        "86400",
        "Seconds that a new signing key is published before it signs, so that every app has seen it.",
    ),
    Setting(
        "bb2.secret_overlap_hours",
        whole(1, 720),
        "24",
        "Hours that an app's earlier secret still does after its developer has made a new one.",
    ),
    Setting("bb2.authorization_request_lifetime", whole(60, 86_400), "3600", "Seconds that a person has to answer."),
)
