"""The tables, one file a subject."""

from bb2.models.access import (
    AccessToken,
    AuthorizationCode,
    AuthorizationRequest,
    Consent,
    PushedRequest,
    RefreshToken,
    UsedAssertion,
)
from bb2.models.apps import Client, ClientLogo
from bb2.models.base import Base
from bb2.models.developers import (
    Developer,
    DeveloperLink,
    DeveloperPasskey,
    DeveloperRecoveryCode,
    DeveloperSession,
)
from bb2.models.people import Account, Beneficiary, Passkey
from bb2.models.records import MEDICARE_NUMBER, Record, RecordIndex, RecordIndexing
from bb2.models.sandbox import Sandbox, SandboxPerson
from bb2.models.sign_in import BrowserSession, EnrollmentDraft, PasskeyChallenge, ProviderSignIn, Recovery, ServerSecret
from bb2.models.trail import AuditEvent, CallsOfDay, Notice, RateLimit
from bb2.models.trial import ClientTrial

__all__ = [
    "MEDICARE_NUMBER",
    "AccessToken",
    "Account",
    "AuditEvent",
    "AuthorizationCode",
    "AuthorizationRequest",
    "Base",
    "Beneficiary",
    "BrowserSession",
    "CallsOfDay",
    "Client",
    "ClientLogo",
    "ClientTrial",
    "Consent",
    "Developer",
    "DeveloperLink",
    "DeveloperPasskey",
    "DeveloperRecoveryCode",
    "DeveloperSession",
    "EnrollmentDraft",
    "Notice",
    "Passkey",
    "PasskeyChallenge",
    "ProviderSignIn",
    "PushedRequest",
    "RateLimit",
    "Record",
    "RecordIndex",
    "RecordIndexing",
    "Recovery",
    "RefreshToken",
    "Sandbox",
    "SandboxPerson",
    "ServerSecret",
    "UsedAssertion",
]
