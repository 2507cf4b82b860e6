// What the server says, as the scripts read it. Coordinates are longitude, latitude in degrees (CGCS2000).

import type { Feature, FeatureCollection, Geometry } from "geojson";

export type Bounds = [west: number, south: number, east: number, north: number];

export interface Session {
  name: string;
  role: string;
  tier: string;
  wall_id: string;
  language: string;
  csrf_token: string;
}

export interface LayerField {
  name: string;
  type: string;
  title: string;
  required?: boolean;
  choices?: Record<string, string>;
}

export interface LayerStyle {
  stroke: string;
  width: number;
  fill: string;
  fill_opacity: number;
  radius: number;
  shape: string;
  min_zoom: number;
  classify: string | null;
  classes: Record<string, string>;
  widths?: Record<string, number>;
}

export interface Layer {
  name: string;
  title: string;
  kind: "boundary" | "feature" | "record";
  geometry: "Point" | "MultiLineString" | "MultiPolygon";
  key: string;
  label: string | null;
  popup: string[];
  legend: boolean;
  order: number;
  fields: LayerField[];
  style: LayerStyle;
  url: string;
}

export type Features = FeatureCollection<Geometry, Record<string, unknown>>;
export type OneFeature = Feature<Geometry, Record<string, unknown>>;

/** What a hall may know of an incident. */
export interface HallIncident {
  number: string;
  lon: number;
  lat: number;
  state: string;
  is_urgent: boolean;
  is_overdue?: boolean;
  grid_code: string | null;
  grid_name: string | null;
  discovered_at: string;
}

/** An incident as the desk may read it. */
export interface Incident extends HallIncident {
  id: number;
  item: string | null;
  description: string;
  source: string;
  due_at: string | null;
  accuracy_m: number | null;
  match: "inside" | "border" | "near" | "outside";
  distance_m: number | null;
  grid?: string | null;
  sub_grid?: string | null;
  history?: { at: string; actor: string; to_state: string; note: string | null }[];
}

export interface Figures {
  open: number;
  urgent: number;
  overdue: number;
  today: number;
  done_today: number;
}

export interface WallAnswer {
  wall: { id: string; title: string };
  generated_at: string;
  position: number;
  bounds: Bounds | null;
  figures: Figures;
  incidents: Features;
  grids: { grid_code: string; open: number }[];
  layers: string[];
}

export interface Acceptance {
  who: string;
  at: string;
  reason: string;
}

export interface Finding {
  id: number;
  kind: string;
  rule: string;
  severity: "error" | "warning" | "option";
  clause: string;
  codes: string[];
  area_m2: number | null;
  width_m: number | null;
  message: string | { zh: string; en: string };
  geometry: Geometry | null;
  weight?: { addresses: number; people: number; open_incidents: number };
  acceptance: Acceptance | null;
}

/** One step of mending, in words. */
export interface Move {
  finding: number;
  kind: string;
  message: string;
  confidence: number;
}

/** The totals of a check; without members where none applies. */
export interface Summary {
  coverage_pct?: number;
  gap_area_m2?: number;
  overlap_area_m2?: number;
  outside_area_m2?: number;
}

export interface RowProblem {
  row: number;
  field: string | null;
  message: string;
  rejected: boolean;
}

export interface ImportJob {
  id: string;
  layer: string;
  state: "queued" | "reading" | "checking" | "staging" | "staged" | "published" | "failed" | "interrupted";
  done: number;
  total: number;
  message: string | null;
  generation: number | null;
  problems: RowProblem[];
}

export interface Generation {
  id: number;
  layer: string;
  state: "staged" | "published" | "discarded";
  feature_count: number;
  valid_from: string | null;
  valid_to: string | null;
  created_at: string;
  created_by: string;
  errors: number;
  warnings: number;
  open_warnings: number;
  rejected: number;
  certificate: { exact: boolean } | null;
  proof: string | null;
  notes: string[];
}

export interface WallLink {
  id: number;
  wall_id: string;
  label: string;
  created_by: string;
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
}
