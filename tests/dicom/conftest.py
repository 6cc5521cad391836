from __future__ import annotations

import pytest

pytest.importorskip("highdicom", reason="needs the dicom extra")
