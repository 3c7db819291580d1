"""The pages for app developers, under /developer.  They are in English."""
