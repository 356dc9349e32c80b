"""The module's self-test: real work on generated frames, in Slicer as well as under the stand-ins."""

# ruff: noqa: N802, PT009, PT027 (the names and the assertions are unittest's, which Slicer runs)
from __future__ import annotations

import time
import unittest
from typing import Any

import numpy as np
import slicer
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest

from USEnhanceLib.enhancement import missing_packages
from USEnhanceLib.errors import EnhancementCancelled, InputError, OptionError
from USEnhanceLib.segmentation import check_segmenter
from USEnhanceLib.segmentation.loading import missing_segmentation_packages

TIMEOUT_SECONDS = 300.0


class USEnhanceTest(ScriptedLoadableModuleTest):
    """Tests of the logic and of the panel. Those that need PyTorch are skipped where it is missing."""

    def setUp(self) -> None:
        """Begin with an empty scene."""
        slicer.mrmlScene.Clear()

    def runTest(self) -> None:
        """Run all tests; one that cannot run here says why."""
        for name in unittest.TestLoader().getTestCaseNames(type(self)):
            self.setUp()
            try:
                getattr(self, name)()
            except unittest.SkipTest as skipped:
                self.delayDisplay(f"{name} skipped: {skipped}")
            else:
                self.delayDisplay(f"{name} passed")

    def test_logic_enhances_a_volume_with_its_uncertainty(self) -> None:
        """The result has the input's type, size and geometry; the input stays as it was."""
        volume, before = self._add_volume()
        outputs = self._logic().enhance(volume, uncertainty=True)
        enhanced = slicer.util.arrayFromVolume(outputs.volume)
        self.assertEqual(enhanced.dtype, before.dtype)
        self.assertEqual(enhanced.shape, before.shape)
        self.assertTrue((enhanced != before).any())
        self.assertEqual(outputs.volume.GetSpacing(), volume.GetSpacing())
        spread = slicer.util.arrayFromVolume(outputs.uncertainty)
        self.assertEqual(spread.shape, before.shape)
        self.assertGreater(float(spread.max()), 0.0)
        labels = slicer.util.arrayFromVolume(outputs.distrust)
        self.assertEqual((labels.dtype, labels.shape), (np.uint8, before.shape))
        np.testing.assert_array_equal(slicer.util.arrayFromVolume(volume), before)

    def test_logic_enhances_with_a_classical_filter(self) -> None:
        """Needs nothing but what Slicer brings, and says which filter it was."""
        volume, before = self._add_volume()
        output = slicer.util.getModuleLogic("USEnhance").enhance(volume, method="lee").volume
        self.assertTrue((slicer.util.arrayFromVolume(output) != before).any())
        self.assertEqual(output.GetAttribute("USEnhance.Method"), "lee")

    def test_logic_enhances_a_sequence(self) -> None:
        """A sequence gives a sequence with the same index values."""
        sequence = self._add_sequence()
        enhanced = self._logic().enhance(sequence).volume
        self.assertTrue(enhanced.IsA("vtkMRMLSequenceNode"))
        self.assertEqual(self._index_values(enhanced), self._index_values(sequence))

    def test_logic_enhances_a_real_cine(self) -> None:
        """The ultrasound cine that ships with pydicom, where it does."""
        sequence = self._add_real_cine(frames=2)
        enhanced = self._logic().enhance(sequence).volume
        before = slicer.util.arrayFromVolume(sequence.GetNthDataNode(0))
        after = slicer.util.arrayFromVolume(enhanced.GetNthDataNode(0))
        self.assertEqual(after.shape, before.shape)
        self.assertTrue((after != before).any())

    def test_logic_cancels(self) -> None:
        """Cancel leaves no node behind."""
        volume, _ = self._add_volume()
        count = slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
        with self.assertRaises(EnhancementCancelled):
            self._logic().enhance(volume, cancelled=lambda: True)
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode"), count)

    def test_logic_refuses_bad_input(self) -> None:
        """What cannot be enhanced is refused with a sentence, and leaves nothing behind."""
        logic = slicer.util.getModuleLogic("USEnhance")
        empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty")
        labels = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "Labels")
        for node in (None, empty, labels):
            with self.assertRaises(InputError):
                logic.enhance(node)
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLVolumeNode"), 2)

    def test_panel_enhances_and_is_warm_for_the_next_click(self) -> None:
        """A click makes a result and says so; the worker process stays for the next one."""
        widget = self._widget()
        volume, before = self._add_volume()
        widget.ui.inputSelector.setCurrentNode(volume)
        widget.ui.enhanceButton.click()
        self.assertEqual(widget.ui.enhanceButton.text, "Cancel")
        self._wait_for_end(widget)
        self.assertIn("Enhanced 3 frames", widget.ui.statusLabel.text)
        enhanced = widget.ui.outputSelector.currentNode()
        self.assertTrue((slicer.util.arrayFromVolume(enhanced) != before).any())
        worker = widget.logic.background.process.pid
        widget.ui.enhanceButton.click()
        self._wait_for_end(widget)
        self.assertEqual(widget.logic.background.process.pid, worker)

    def test_panel_cancels(self) -> None:
        """Cancel answers within a second and writes nothing."""
        widget = self._widget()
        volume, _ = self._add_volume(frames=40)
        widget.ui.inputSelector.setCurrentNode(volume)
        widget.ui.enhanceButton.click()
        slicer.app.processEvents()
        begin = time.monotonic()
        widget.ui.enhanceButton.click()
        self._wait_for_end(widget)
        self.assertLess(time.monotonic() - begin, 1.0)
        self.assertIn("Cancelled", widget.ui.statusLabel.text)
        self.assertIsNone(widget.ui.outputSelector.currentNode())

    def test_panel_segments_a_drawn_frame(self) -> None:
        """A click outlines the head and the symphysis, and fills the table; the image stays as it was."""
        widget = self._segmenting_widget()
        volume, before = self._add_structures()
        widget.ui.inputSelector.setCurrentNode(volume)
        widget.ui.segmentButton.click()
        self.assertEqual(widget.ui.segmentButton.text, "Cancel", widget.ui.statusLabel.text)
        self._wait_for_end(widget)
        self.assertIn("Segmented 1 frame", widget.ui.statusLabel.text)
        self.assertEqual(widget.ui.statusLabel.styleSheet, "")
        (segmentation,) = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
        head = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, "FetalHead", volume)
        self.assertGreater(int(np.count_nonzero(head)), 0)
        self.assertIsNotNone(segmentation.GetSegmentation().GetSegment("PubicSymphysis"))
        table = widget.ui.diceTableView.mrmlTableNode()
        self.assertEqual(table.GetTable().GetColumnByName("Frame").GetNumberOfValues(), 4)
        self.assertTrue(widget.ui.chartsButton.enabled)
        np.testing.assert_array_equal(slicer.util.arrayFromVolume(volume), before)

    def _logic(self) -> Any:
        self._require_packages()
        return slicer.util.getModuleLogic("USEnhance")

    def _widget(self) -> Any:
        self._require_packages()
        slicer.util.selectModule("USEnhance")
        return slicer.util.getModuleWidget("USEnhance")

    def _segmenting_widget(self) -> Any:
        missing = missing_segmentation_packages()
        if missing:
            self.skipTest(f"not installed: {', '.join(missing)}")
        slicer.util.selectModule("USEnhance")
        widget = slicer.util.getModuleWidget("USEnhance")
        try:
            check_segmenter(widget.logic.getParameterNode().segmentationModel)
        except OptionError as error:
            self.skipTest(f"no model to segment with: {error}")
        return widget

    def _require_packages(self) -> None:
        missing = missing_packages("scunet")
        if missing:
            self.skipTest(f"not installed: {', '.join(missing)}")

    def _wait_for_end(self, widget: Any) -> None:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        buttons = (widget.ui.enhanceButton, widget.ui.segmentButton)
        while any(button.text == "Cancel" for button in buttons):
            self.assertLess(time.monotonic(), deadline, widget.ui.statusLabel.text)
            slicer.app.processEvents()
            time.sleep(0.005)

    @staticmethod
    def _speckle(frames: int) -> np.ndarray:
        """Return speckled frames, uint8 [N, 64, 96], with a dark disc in each."""
        rows, columns = np.mgrid[:64, :96]
        tissue = np.where((rows - 32) ** 2 + (columns - 48) ** 2 < 200, 0.1, 0.45)
        speckle = np.random.default_rng(1).rayleigh(0.8, (frames, 64, 96))
        return (255 * np.clip(tissue * speckle, 0.02, 1.0)).astype(np.uint8)

    def _add_volume(self, frames: int = 3) -> tuple[Any, np.ndarray]:
        volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Speckle")
        slicer.util.updateVolumeFromArray(volume, self._speckle(frames))
        volume.SetSpacing(0.4, 0.3, 1.0)
        volume.CreateDefaultDisplayNodes()
        return volume, slicer.util.arrayFromVolume(volume).copy()

    @staticmethod
    def _add_structures() -> tuple[Any, np.ndarray]:
        """Add a volume of one frame: a bright symphysis above a grey head, in dark speckle."""
        rows, columns = np.mgrid[:192, :256] / 192
        along, across = columns - 0.4 + 0.3 * (rows - 0.25), rows - 0.25 - 0.3 * (columns - 0.4)
        tissue = np.full(rows.shape, 0.2)
        tissue[((columns - 0.55) / 0.34) ** 2 + ((rows - 0.68) / 0.26) ** 2 < 1] = 0.5
        tissue[(along / 0.18) ** 2 + (across / 0.07) ** 2 < 1] = 0.85
        frame = 255 * tissue * np.random.default_rng(1).gamma(20.0, 1 / 20.0, tissue.shape)
        volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Drawn")
        slicer.util.updateVolumeFromArray(volume, frame.clip(2, 255).astype(np.uint8)[np.newaxis])
        volume.SetSpacing(0.5, 0.5, 1.0)
        volume.CreateDefaultDisplayNodes()
        return volume, slicer.util.arrayFromVolume(volume).copy()

    def _add_sequence(self) -> Any:
        sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "Cine")
        for index, frame in enumerate(self._speckle(2)):
            item = slicer.vtkMRMLScalarVolumeNode()
            slicer.util.updateVolumeFromArray(item, frame[np.newaxis])
            sequence.SetDataNodeAtValue(item, f"{0.04 * index:g}")
        return sequence

    def _add_real_cine(self, frames: int) -> Any:
        import pydicom.data

        from USEnhanceLib import read_frames

        path = pydicom.data.get_testdata_file("examples_ybr_color.dcm", download=False)
        if path is None:
            self.skipTest("this pydicom does not ship the ultrasound cine")
        sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "Cine")
        for index, frame in enumerate(read_frames(path).source[:frames]):
            item = slicer.vtkMRMLVectorVolumeNode()
            slicer.util.updateVolumeFromArray(item, frame[np.newaxis])
            sequence.SetDataNodeAtValue(item, str(index))
        return sequence

    @staticmethod
    def _index_values(sequence: Any) -> list[str]:
        return [sequence.GetNthIndexValue(index) for index in range(sequence.GetNumberOfDataNodes())]
