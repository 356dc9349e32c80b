"""Ultrasound simulated from MRI: pairs of a speckled frame and the clean one that it should have been."""
