"""Figures of merit of ultrasound frames."""
