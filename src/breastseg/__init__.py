"""breastseg segments breast lesions in medical images.

The names below are loaded when they are first used, so that the import itself takes no time; what
they are is stated, with their types, in ``__init__.pyi``.
"""

from breastseg.offline import keep_offline

__version__ = "0.1.0"

_HOMES = {
    "Image": "breastseg.core.image",
    "MethodOptions": "breastseg.inference.options",
    "Prediction": "breastseg.core.prediction",
    "compare": "breastseg.front_door",
    "lesion_margins": "breastseg.front_door",
    "list_methods": "breastseg.inference.methods",
    "measure_lesions": "breastseg.front_door",
    "open_segmenter": "breastseg.inference.open",
    "read_image": "breastseg.front_door",
    "read_images": "breastseg.front_door",
    "read_volume": "breastseg.front_door",
    "segment": "breastseg.front_door",
    "train": "breastseg.front_door",
}
"""Where each name of the front door lives."""

__all__ = [
    "Image",
    "MethodOptions",
    "Prediction",
    "__version__",
    "compare",
    "lesion_margins",
    "list_methods",
    "measure_lesions",
    "open_segmenter",
    "read_image",
    "read_images",
    "read_volume",
    "segment",
    "train",
]

keep_offline()


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'breastseg' has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found  # the next look-up finds it without asking here
    return found


def __dir__() -> list[str]:
    return __all__
