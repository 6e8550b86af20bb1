"""Images: download, readers, preprocessing, prepared data sets. The embedded digits lie here."""
