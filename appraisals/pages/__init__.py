"""What the pages of appraisals show, a module a subject: typed, and built from rows that the views load."""
