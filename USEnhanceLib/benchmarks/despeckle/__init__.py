"""`usenhance bench despeckle`: IR-SDE on simulated and real frames."""
