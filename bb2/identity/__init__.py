"""Who is signing in?"""
