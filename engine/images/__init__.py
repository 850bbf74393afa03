"""Pictures in, and disparity cleaned and brought to a picture's own resolution. No torch."""
