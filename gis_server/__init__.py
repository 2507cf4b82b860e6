"""The GIS server of the grid command centre."""
