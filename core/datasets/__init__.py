"""Datasets: the standard form, its check, the feature cache, one importer per dataset."""
