"""What the node receives, and so what a rule may ask for."""

from __future__ import annotations

from breastseg.core.image import Modality

STORAGE_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.6.1": "Ultrasound Image",
    "1.2.840.10008.5.1.4.1.1.6": "Ultrasound Image (retired)",
    "1.2.840.10008.5.1.4.1.1.3.1": "Ultrasound Multi-frame Image",
    "1.2.840.10008.5.1.4.1.1.3": "Ultrasound Multi-frame Image (retired)",
    "1.2.840.10008.5.1.4.1.1.1.2": "Digital Mammography X-Ray Image, for presentation",
    "1.2.840.10008.5.1.4.1.1.1.2.1": "Digital Mammography X-Ray Image, for processing",
    "1.2.840.10008.5.1.4.1.1.13.1.3": "Breast Tomosynthesis Image",
    "1.2.840.10008.5.1.4.1.1.4": "MR Image",
    "1.2.840.10008.5.1.4.1.1.4.1": "Enhanced MR Image",
    "1.2.840.10008.5.1.4.1.1.7": "Secondary Capture Image",
    "1.2.840.10008.5.1.4.1.1.7.2": "Multi-frame Grayscale Byte Secondary Capture Image",
    "1.2.840.10008.5.1.4.1.1.7.3": "Multi-frame Grayscale Word Secondary Capture Image",
    "1.2.840.10008.5.1.4.1.1.7.4": "Multi-frame True Color Secondary Capture Image",
}
"""What is received, by SOP Class UID."""

MODALITIES = {
    "US": Modality.ULTRASOUND,
    "MG": Modality.MAMMOGRAPHY,
    "MR": Modality.MRI,
    "CR": Modality.MAMMOGRAPHY,
    "DX": Modality.MAMMOGRAPHY,
    "OT": Modality.UNKNOWN,
    "SC": Modality.UNKNOWN,
    "XC": Modality.UNKNOWN,
}
"""Terms of Modality (0008,0060) that these objects have, and what made them.

The last three, and CR and DX of a breast, are those of secondary captures.
"""

EXACT = ("modality", "body_part", "station", "sop_class")
"""Keys of a rule whose value an instance must state as it is."""


def stated(one: object) -> str:
    """What a rule asks for, or an instance states of that; empty for nothing."""
    keys = {key: getattr(one, key) for key in ("modality", "series", *EXACT[1:])}
    return ", ".join(f"{key} {value!r}" for key, value in keys.items() if value)
