"""A believable company to look at: `manage.py load_demo`. Every person in it is invented."""
