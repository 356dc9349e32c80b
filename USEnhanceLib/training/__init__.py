"""Training: data sets, targets, patches, recipes and a loop that resumes from its checkpoint."""
