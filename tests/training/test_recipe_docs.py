"""The page on recipes knows every table, step, model and key."""

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from training import recipe as plans

PAGE = Path("docs/recipes.md").read_text()
STRUCTS = (
    *(plans.Data, plans.SplitPlan, plans.Fitting, plans.Search, plans.Decision, plans.Scorecard, plans.Loss),
    *get_args(plans.StepPlan),
    *get_args(plans.ModelPlan),
)


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda one: one.__name__)
def test_every_key_is_told(struct: type[msgspec.Struct]) -> None:
    """Each step and model is there under its name, and each key under its own."""
    tag = struct.__struct_config__.tag
    assert tag is None or f"`{tag}`" in PAGE
    for field in msgspec.structs.fields(struct):
        assert f"`{field.name}`" in PAGE, field.name


@pytest.mark.parametrize("path", sorted(Path("examples").glob("*.toml")), ids=lambda path: path.name)
def test_every_example_is_told(path: Path) -> None:
    """No recipe is left for the reader to find."""
    assert f"`{path.name}`" in PAGE
