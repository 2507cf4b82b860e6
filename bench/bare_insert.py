"""The product's own HTTP server with one more address: ``POST /api/bare`` keeps a row by a plain INSERT, and does nothing else.

Same granian, same application factory, same sign-in, same connection pool and commit. It is never part of the product.
"""

import os

from flask import Flask, Response
from sqlalchemy import BigInteger, Column, Double, Identity, MetaData, Table, Text, insert

from gis_server.cli.serving import serve_http
from gis_server.core.access import Act
from gis_server.settings import Settings
from gis_server.views.current import actor, ctx, json_answer, json_body
from gis_server.wsgi import worker as product

bare = Table(
    "bench_bare",
    MetaData(),
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("lon", Double, nullable=False),
    Column("lat", Double, nullable=False),
    Column("description", Text, nullable=False),
    Column("reported_by", BigInteger),
)


def worker() -> Flask:
    """The application of a worker, with the bare address."""
    app = product()
    app.add_url_rule("/api/bare", view_func=_insert, methods=["POST"])
    return app


def _insert() -> Response:
    actor().require(Act.REPORT_INCIDENT)
    given = json_body()
    values = {name: given[name] for name in ("lon", "lat", "description")}
    with ctx().engine.begin() as conn:
        kept = conn.execute(
            insert(bare).values(reported_by=actor().account_id, **values).returning(bare.c.id)
        ).scalar_one()
    return json_answer({"id": kept}, 201)


if __name__ == "__main__":
    serve_http(Settings.from_environment(os.environ), "bare_insert:worker")
