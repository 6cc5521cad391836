from breastseg.evaluation.comparison.subgroups import FEWEST, subgroups

from .tabled import tabled


def keys(*numbers: int) -> frozenset[str]:
    return frozenset(f"s/{n}" for n in numbers)


def test_groups_by_hand() -> None:
    rows = [
        {"label": "benign"},
        {"label": "malignant"},
        {"label": "malignant"},
        {"label": None},
        {"label": "normal", "has_lesion": False},
    ]
    traits = [
        {"area_px": 10, "area_fraction": 0.01, "contrast": 0.1, "irregularity": 0.1},
        {"area_px": 20, "area_fraction": 0.03, "contrast": 0.2, "irregularity": 0.2},
        {"area_px": 30, "area_fraction": 0.10, "contrast": 0.3, "irregularity": 0.3},
        {"area_px": 40, "area_fraction": 0.20, "contrast": 0.4, "irregularity": 0.4},
        {"area_px": 0, "area_fraction": 0.0, "contrast": None, "irregularity": None},
    ]
    found = subgroups(tabled({"a": [0.5] * 5}, rows=rows, traits=traits))
    assert found == {
        "benign": keys(0),
        "malignant": keys(1, 2),
        "small, below 3%": keys(0),
        "medium, 3% to 10%": keys(1, 2),
        "large, above 10%": keys(3),
        # Thirds of 10, 20, 30, 40 are cut at 20 and 30; the quarters at 17.5 and 32.5 of 40.
        "smallest third by pixels": keys(0, 1),
        "middle third by pixels": keys(2),
        "largest third by pixels": keys(3),
        "low contrast": keys(0),
        "contrast not low": keys(1, 2, 3),
        "irregular border": keys(3),
        "border not irregular": keys(0, 1, 2),
    }


def test_sources_and_scanners() -> None:
    count = 2 * FEWEST
    rows = [
        {"source": "one" if n % 2 else "two", "scanner": "GE" if n < FEWEST else "Toshiba"}
        for n in range(count)
    ]
    rows[-1]["scanner"] = None
    found = subgroups(tabled({"a": [0.5] * count}, rows=rows))
    assert found["source one"] == keys(*range(1, count, 2))
    assert found["source two"] == keys(*range(0, count, 2))
    assert found["scanner GE"] == keys(*range(FEWEST))
    assert "scanner Toshiba" not in found
    assert not any(name.startswith("source") for name in subgroups(tabled({"a": [0.5] * 3})))


def test_cases_that_could_not_be_read_are_of_no_size() -> None:
    unknown = {"area_px": 0, "area_fraction": 0.0, "contrast": None, "irregularity": None}
    found = subgroups(tabled({"a": [0.0, 0.5]}, traits=[unknown, {}]))
    assert found["benign"] == keys(0, 1)
    assert all(members == keys(1) for name, members in found.items() if name != "benign")


def test_no_lesions_no_groups() -> None:
    assert subgroups(tabled({"a": [1.0]}, rows=[{"has_lesion": False}])) == {}


def test_lesions_all_alike_are_in_the_lower_part() -> None:
    found = subgroups(tabled({"a": [0.5] * 3}))
    assert found["low contrast"] == found["smallest third by pixels"] == keys(0, 1, 2)
    assert found["border not irregular"] == keys(0, 1, 2)
    assert not {"contrast not low", "irregular border", "largest third by pixels"} & set(found)
