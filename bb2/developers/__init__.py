"""App developers: who they are, apart from beneficiaries in every way."""
