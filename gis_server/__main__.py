"""``python -m gis_server``: the command line."""

from gis_server.cli import main

if __name__ == "__main__":
    main(prog_name="gis-server")
