"""Classical despeckling and denoising: the baselines that the networks are compared with, and their target.

`filters` names every filter and documents its parameters; each method lives in a module of its own.
"""
