"""``gamo compare``: which method suits a person's data, by repeated splits."""
