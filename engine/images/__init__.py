"""Pictures in, and disparity brought to a picture's own resolution. No torch."""
