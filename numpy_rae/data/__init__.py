"""Images: download, readers, preprocessing and prepared data sets. The embedded digits are in this folder."""
