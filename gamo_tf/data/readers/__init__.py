"""One module for each published format; a row of DATASETS names its reader."""
