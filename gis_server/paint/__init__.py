"""The only Folium: walls as files that open without a server."""
