// PostGIS ≥ 3.6 in WebAssembly as an oracle: reads {"cells": [wkt, …], "gap_width": n} lines on stdin, answers a line each.
import { createInterface } from "node:readline";
import { PGlite } from "@electric-sql/pglite";
import { postgis } from "@electric-sql/pglite-postgis";

const db = await PGlite.create({ extensions: { postgis } });
await db.exec("CREATE EXTENSION postgis");

const INVALID = `
  SELECT row, ST_AsText(edges) AS edges FROM (
    SELECT row, ST_CoverageInvalidEdges(geom, $2) OVER () AS edges
    FROM (SELECT ordinality - 1 AS row, ST_GeomFromText(wkt) AS geom FROM unnest($1::text[]) WITH ORDINALITY AS t(wkt)) AS cells
  ) AS checked WHERE edges IS NOT NULL ORDER BY row`;
const CLEANED = `
  SELECT ST_AsText(ST_CoverageClean(geom, $2) OVER ()) AS geom
  FROM (SELECT ordinality, ST_GeomFromText(wkt) AS geom FROM unnest($1::text[]) WITH ORDINALITY AS t(wkt)) AS cells ORDER BY ordinality`;

for await (const line of createInterface({ input: process.stdin })) {
  const { cells, gap_width: width } = JSON.parse(line);
  const invalid = await db.query(INVALID, [cells, width]);
  const cleaned = await db.query(CLEANED, [cells, width]);
  const version = await db.query("SELECT postgis_lib_version() AS version");
  process.stdout.write(
    JSON.stringify({
      version: version.rows[0].version,
      invalid: invalid.rows.map(({ row, edges }) => [Number(row), edges]),
      cleaned: cleaned.rows.map(({ geom }) => geom),
    }) + "\n",
  );
}
await db.close();
