"""OpenID Connect Core 5.3: claims about the beneficiary, by the scopes granted."""


def userinfo(request):
    identity = request.identity
    released = request.registry["scopes"].claims_of(identity.scopes)
    answers = request.registry["plugins"].hook.userinfo_claims(beneficiary=identity.beneficiary)
    claims = {claim: value for answer in answers for claim, value in answer.items() if claim in released}
    return claims | {"sub": identity.beneficiary.sub}  # always there (OpenID Connect Core 5.3.2)
