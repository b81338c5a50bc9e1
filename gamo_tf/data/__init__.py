"""From published files, or a user's, to training and test rows in memory."""
