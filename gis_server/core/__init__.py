"""The domain: values in, values out; NumPy, Shapely, rtree and pyproj only."""
