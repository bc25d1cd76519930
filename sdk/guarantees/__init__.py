"""What holds of a network near a sample: no change of its input integers within a radius changes the class."""

from .certify import CERTIFIED, CHANGED, OPEN, Certificate, certify, certify_box
from .relaxation import Relaxation, relax

__all__ = ["CERTIFIED", "CHANGED", "OPEN", "Certificate", "Relaxation", "certify", "certify_box", "relax"]
