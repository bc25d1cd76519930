"""MLPs of scikit-learn, read from their fitted objects."""
