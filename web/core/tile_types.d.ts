// What a vector tile holds once it is taken apart. Coordinates are whole units of the tile.

export interface Lines {
  /** positions of all of them */
  xy: Int16Array;
  /** where each begins in `xy`, counted in positions; one more for the end */
  starts: Uint32Array;
}

export type Properties = Record<string, unknown>;

export interface DecodedLayer {
  kind: "points" | "lines" | "polygons";
  /** units along the tile's side */
  extent: number;
  /** of each feature */
  properties: Properties[];
  /** where each feature's rings, lines or points begin in `lines`; one more for the end */
  parts: Uint32Array;
  lines: Lines;
  /** west, north, east, south of each feature */
  boxes: Int16Array;
  /** borders of polygons, each once, narrow ones first; `width` in px */
  borders: (Lines & { width: number })[];
  labels: { x: number; y: number; properties: Properties }[];
}

/** How a layer of a tile is taken apart. */
export interface Taking {
  name: string;
  /** field that widens borders */
  classify: string | null;
  /** px by its value */
  widths: Record<string, number>;
  /** px of all others */
  width: number;
  /** whether the points where names stand are wanted */
  hasNames: boolean;
}
