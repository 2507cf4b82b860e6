/**
 * GCJ-02, the shifted datum of many Chinese base maps: true position plus a smooth shift of some 140–630 m, inside China
 * only. The same formulae as the server's; degrees, longitude first.
 */

/** @typedef {[lon: number, lat: number]} Place */

/** Krassovsky 1940, the ellipsoid that the formula is written on. */
const SEMI_MAJOR_M = 6_378_245;
const ECCENTRICITY_SQUARED = 0.006_693_421_622_965_943;
/** Each step of the inverse leaves a thousandth of the error before it. */
const ITERATIONS = 4;

/** @param {Place} place */
function isInArea([lon, lat]) {
  return lon >= 72.004 && lon <= 137.8347 && lat >= 0.8293 && lat <= 55.8271;
}

/**
 * The shift at a true position, without regard to the border.
 * @param {Place} place
 * @returns {Place}
 */
function shift([lon, lat]) {
  const [x, y] = [lon - 105, lat - 35];
  const { sin, cos, sqrt, abs, PI } = Math;
  const root = sqrt(abs(x));
  const wave = 20 * sin(6 * x * PI) + 20 * sin(2 * x * PI);
  let north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root;
  north += ((wave + 20 * sin(y * PI) + 40 * sin((y / 3) * PI)) * 2) / 3;
  north += ((160 * sin((y / 12) * PI) + 320 * sin((y * PI) / 30)) * 2) / 3;
  let east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root;
  east += ((wave + 20 * sin(x * PI) + 40 * sin((x / 3) * PI)) * 2) / 3;
  east += ((150 * sin((x / 12) * PI) + 300 * sin((x / 30) * PI)) * 2) / 3;
  const phi = (lat * PI) / 180;
  const w = 1 - ECCENTRICITY_SQUARED * sin(phi) ** 2;
  const meridian = (SEMI_MAJOR_M * (1 - ECCENTRICITY_SQUARED)) / (w * sqrt(w));
  const parallel = (SEMI_MAJOR_M / sqrt(w)) * cos(phi);
  return [((east / parallel) * 180) / PI, ((north / meridian) * 180) / PI];
}

/**
 * Where a true position lies on a GCJ-02 map.
 * @param {Place} place
 * @returns {Place}
 */
export function toGcj02(place) {
  if (!isInArea(place)) return place;
  const [east, north] = shift(place);
  return [place[0] + east, place[1] + north];
}

/**
 * The true position of a place on a GCJ-02 map.
 * @param {Place} place
 * @returns {Place}
 */
export function fromGcj02(place) {
  let found = place;
  for (let n = 0; n < ITERATIONS; n += 1) {
    const [east, north] = shift(found);
    found = [place[0] - east, place[1] - north];
  }
  return isInArea(found) ? found : place;
}
