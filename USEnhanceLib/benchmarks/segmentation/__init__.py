"""The tables about outlines of fetal head and pubic symphysis: `usenhance bench segmentation`."""
