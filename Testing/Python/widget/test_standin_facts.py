"""The stored facts about Slicer, and the stand-ins made from them."""

from __future__ import annotations

import importlib.util
import json

import pytest


def test_every_stored_custom_class_has_a_stand_in(scene):
    import ctk
    import slicer
    from standin.slicer_api import custom_classes

    for name in custom_classes():
        module, _, class_name = name.partition(".")
        assert hasattr({"ctk": ctk, "slicer": slicer}[module], class_name), name


def can_be_read(widget, name):
    try:
        getattr(widget, name)
    except NotImplementedError:
        return False
    return True


def test_every_property_of_the_custom_widgets_can_be_read(scene):
    import ctk
    import slicer
    from standin.slicer_api import class_facts, custom_classes

    missing = set()
    for name in custom_classes():
        module, _, class_name = name.partition(".")
        if class_name == "qMRMLSliceWidget":
            continue
        widget = getattr({"ctk": ctk, "slicer": slicer}[module], class_name)()
        properties = class_facts(name).properties
        missing |= {f"{name}.{each}" for each in properties if not can_be_read(widget, each)}
    # What Slicer's have, and neither Qt 6 nor a test here.
    assert missing == {
        "ctk.ctkComboBox.autoCompletion",
        "ctk.ctkComboBox.autoCompletionCaseSensitivity",
        "ctk.ctkComboBox.currentUserDataAsString",
        "ctk.ctkMessageBox.dontShowAgainButtonRoles",
    }


@pytest.mark.parametrize(
    ("sample", "expected"),
    [("finished(int,QProcess::ExitStatus)", 2), ("clicked()", 0), ("clicked(bool)", 1)],
)
def test_arguments_are_counted(scene, sample, expected):
    from standin.slicer_api import argument_count

    assert argument_count(sample) == expected


def test_the_subset_is_what_the_script_extracts(scene, repository):
    folder = repository / "Testing" / "SlicerStandIn"
    full = repository.parent / "shared" / "slicer-api.json"
    if not full.is_file():
        pytest.skip("the full record of Slicer's names is not beside the checkout")
    specification = importlib.util.spec_from_file_location("extract_api", folder / "extract_api.py")
    extract_api = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(extract_api)
    stored = json.loads((folder / "slicer-api-subset.json").read_text(encoding="utf-8"))
    assert extract_api.subset(json.loads(full.read_text(encoding="utf-8"))) == stored
