"""terrawatt: controlled energy experiments of deep learning on Earth-observation images."""

__version__ = "0.1.0"
