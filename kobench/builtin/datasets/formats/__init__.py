"""Files of cells in the formats of this field: read in part, and never followed elsewhere."""
