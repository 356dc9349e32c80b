"""The CTK widgets that the panel uses."""

# ruff: noqa: N802, N815 (the names are Slicer's)
from __future__ import annotations

from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from .message_dialogs import MessageBox

HEADER_HEIGHT = 22
STEPS = 10**6


def stored(kind: Any, name: str, default: Any) -> QtCore.Property:
    """A Qt property that only keeps its value, for what changes nothing in tests."""

    def read(self: Any) -> Any:
        return self.__dict__.get(f"_stored_{name}", default)

    def write(self: Any, value: Any) -> None:
        self.__dict__[f"_stored_{name}"] = value

    return QtCore.Property(kind, read, write)


class CollapsibleButton(QtWidgets.QAbstractButton):
    """ctkCollapsibleButton: a header that shows and hides what lies in the button."""

    SLICER_CLASS = "ctkCollapsibleButton"
    contentsCollapsed = QtCore.Signal(bool)

    flat = stored(bool, "flat", False)
    collapsedHeight = stored(int, "collapsedHeight", 0)
    contentsLineWidth = stored(int, "contentsLineWidth", 1)
    contentsMidLineWidth = stored(int, "contentsMidLineWidth", 0)
    contentsFrameShape = stored(int, "contentsFrameShape", 0)
    contentsFrameShadow = stored(int, "contentsFrameShadow", 0)
    buttonTextAlignment = stored(int, "buttonTextAlignment", 132)
    indicatorAlignment = stored(int, "indicatorAlignment", 132)

    def __init__(self, *arguments: Any) -> None:
        text = arguments[0] if arguments and isinstance(arguments[0], str) else ""
        super().__init__(arguments[-1] if arguments and not isinstance(arguments[-1], str) else None)
        self._collapsed = False
        self.setText(text)
        self.setCheckable(True)
        self.setChecked(True)
        self.setContentsMargins(0, HEADER_HEIGHT, 0, 0)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Preferred, QtWidgets.QSizePolicy.Policy.Preferred)
        self.toggled.connect(self._follow)

    def _follow(self, checked: bool) -> None:
        self._set_collapsed(not checked)

    def _get_collapsed(self) -> bool:
        return self._collapsed

    def _set_collapsed(self, collapsed: bool) -> None:
        if collapsed == self._collapsed:
            return
        self._collapsed = collapsed
        self.setChecked(not collapsed)
        for child in self.findChildren(
            QtWidgets.QWidget, options=QtCore.Qt.FindChildOption.FindDirectChildrenOnly
        ):
            child.setVisible(not collapsed)
        self.setMaximumHeight(HEADER_HEIGHT if collapsed else 16777215)
        self.contentsCollapsed.emit(collapsed)

    collapsed = QtCore.Property(bool, _get_collapsed, _set_collapsed)

    def minimumSizeHint(self) -> QtCore.QSize:
        """The header, and what is below it."""
        return super().minimumSizeHint().expandedTo(QtCore.QSize(80, HEADER_HEIGHT))

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        """Draw the header: an arrow and the text."""
        painter = QtWidgets.QStylePainter(self)
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        option.rect = QtCore.QRect(0, 0, self.width(), HEADER_HEIGHT)
        painter.drawControl(QtWidgets.QStyle.ControlElement.CE_PushButtonBevel, option)
        arrow = "\u25b6" if self._collapsed else "\u25bc"
        painter.drawText(
            option.rect.adjusted(8, 0, -8, 0), QtCore.Qt.AlignmentFlag.AlignVCenter, f"{arrow}  {self.text()}"
        )
        painter.end()


class ComboBox(QtWidgets.QComboBox):
    """ctkComboBox: a combo box with a text for "nothing chosen"."""

    SLICER_CLASS = "ctkComboBox"
    defaultText = stored(str, "defaultText", "")
    defaultIcon = stored(QtGui.QIcon, "defaultIcon", QtGui.QIcon())
    forceDefault = stored(bool, "forceDefault", False)
    elideMode = stored(int, "elideMode", 3)
    scrollWheelEffect = stored(int, "scrollWheelEffect", 1)


class CtkMessageBox(MessageBox):
    """ctkMessageBox."""

    SLICER_CLASS = "ctkMessageBox"
    dontShowAgain = stored(bool, "dontShowAgain", False)
    dontShowAgainSettingsKey = stored(str, "dontShowAgainSettingsKey", "")
    dontShowAgainVisible = stored(bool, "dontShowAgainVisible", False)


class SliderWidget(QtWidgets.QWidget):
    """ctkSliderWidget: a slider beside a spin box, both of one value rounded to `decimals`."""

    SLICER_CLASS = "ctkSliderWidget"
    valueChanged = QtCore.Signal(float)
    valueIsChanging = QtCore.Signal(float)
    decimalsChanged = QtCore.Signal(int)

    pageStep = stored(float, "pageStep", 10.0)
    tickInterval = stored(float, "tickInterval", 0.0)
    tickPosition = stored(int, "tickPosition", 0)
    synchronizeSiblings = stored(int, "synchronizeSiblings", 0)
    spinBoxAlignment = stored(int, "spinBoxAlignment", 0)
    tracking = stored(bool, "tracking", True)
    popupSlider = stored(bool, "popupSlider", False)
    invertedAppearance = stored(bool, "invertedAppearance", False)
    invertedControls = stored(bool, "invertedControls", False)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal, self)
        self._slider.setRange(0, STEPS)
        self._spin_box = QtWidgets.QDoubleSpinBox(self)
        self._spin_box.setRange(0.0, 99.0)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider)
        layout.addWidget(self._spin_box)
        self._spin_box.valueChanged.connect(self._follow_spin_box)
        self._slider.valueChanged.connect(self._follow_slider)

    def _follow_spin_box(self, value: float) -> None:
        self._place_slider()
        self.valueIsChanging.emit(value)
        self.valueChanged.emit(value)

    def _follow_slider(self, position: int) -> None:
        low, high = self._spin_box.minimum(), self._spin_box.maximum()
        self._spin_box.setValue(low + (high - low) * position / STEPS)

    def _place_slider(self) -> None:
        low, high = self._spin_box.minimum(), self._spin_box.maximum()
        blocker = QtCore.QSignalBlocker(self._slider)
        self._slider.setValue(
            round(STEPS * (self._spin_box.value() - low) / (high - low)) if high > low else 0
        )
        blocker.unblock()

    def _set_minimum(self, value: float) -> None:
        self._spin_box.setMinimum(value)
        self._place_slider()

    def _set_maximum(self, value: float) -> None:
        self._spin_box.setMaximum(value)
        self._place_slider()

    def setValue(self, value: float) -> None:
        """Set the value; it is clamped to the range."""
        self._spin_box.setValue(value)

    def setDecimals(self, decimals: int) -> None:
        """Set how many digits the value keeps."""
        if decimals != self._spin_box.decimals():
            self._spin_box.setDecimals(decimals)
            self.decimalsChanged.emit(decimals)

    def setSpinBoxVisible(self, visible: bool) -> None:
        """Show or hide the spin box."""
        self._spin_box.setVisible(visible)

    def reset(self) -> None:
        """Go back to the smallest value."""
        self._spin_box.setValue(self._spin_box.minimum())

    value = QtCore.Property(float, lambda self: self._spin_box.value(), setValue)
    minimum = QtCore.Property(float, lambda self: self._spin_box.minimum(), _set_minimum)
    maximum = QtCore.Property(float, lambda self: self._spin_box.maximum(), _set_maximum)
    decimals = QtCore.Property(int, lambda self: self._spin_box.decimals(), setDecimals)
    singleStep = QtCore.Property(
        float, lambda self: self._spin_box.singleStep(), lambda self, step: self._spin_box.setSingleStep(step)
    )
    prefix = QtCore.Property(
        str, lambda self: self._spin_box.prefix(), lambda self, text: self._spin_box.setPrefix(text)
    )
    suffix = QtCore.Property(
        str, lambda self: self._spin_box.suffix(), lambda self, text: self._spin_box.setSuffix(text)
    )
    spinBoxVisible = QtCore.Property(bool, lambda self: not self._spin_box.isHidden(), setSpinBoxVisible)


IMPLEMENTATIONS: dict[str, type] = {
    "ctkCollapsibleButton": CollapsibleButton,
    "ctkComboBox": ComboBox,
    "ctkMessageBox": CtkMessageBox,
    "ctkSliderWidget": SliderWidget,
}
