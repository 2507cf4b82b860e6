"""The only Folium and the only Cairo: walls as files that open without a server, and as sheets of paper."""
