"""OAuth 2.0 and OpenID Connect for oauthlib: where it finds clients, codes and tokens."""
