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
  /** a name that tells nothing of the account; null for visitors and screens */
  account: string | null;
  /** the server's clock */
  now: string;
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
  radii?: Record<string, number>;
  /** field that the form of a symbol tells; null where there is none or it may not be seen */
  state?: string | null;
  state_colour?: string;
  marks?: Record<string, "solid" | "hollow" | "crossed">;
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
  /** rows in force that the reader may see; null for records */
  count?: number | null;
  /** where its tiles are, if it is too large to be fetched whole */
  tiles?: { url: string; max_zoom: number; bounds?: Bounds } | null;
  extents_url?: string;
}

/** The map below all layers; `url` and `labels_url` have {z}, {x} and {y}. */
export interface BaseMap {
  kind: "vector" | "raster";
  url: string;
  min_zoom: number;
  max_zoom: number;
  /** px */
  tile_size: number;
  datum: "cgcs2000" | "gcj02";
  matrix: "w" | "c";
  labels_url: string | null;
  attribution: string;
  /** a street map in light colours, or pictures of the ground */
  tone?: "light" | "imagery";
}

/** Where the rows of a layer are, and some of their values, in one order. */
export interface Extents {
  keys: (string | null)[];
  boxes: Bounds[];
  values?: Record<string, unknown[]>;
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
  due_at?: string | null;
  township_code?: string | null;
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
  standing: "running" | "due_soon" | "overdue" | null;
  current_level: string | null;
  lead_unit: string | null;
  supervised_at: string | null;
  rating: number | null;
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

/** One scene of a wall; `left` and `right` name its panels. */
export interface Scene {
  key: string;
  title: { zh: string; en: string };
  seconds: number;
  extent: "whole" | "urban" | "each_town";
  colour: "plain" | "open" | "overdue" | "reported" | "completed";
  points: "open" | "overdue" | "replay" | "none";
  cameras: boolean;
  left: string[];
  right: string[];
}

export interface Tour {
  start: string;
  takeover_seconds: number;
  sound: boolean;
  scenes: Scene[];
}

/** An urgent incident that called the hall. */
export interface Alarm {
  number: string;
  lon: number;
  lat: number;
  grid_code: string | null;
  grid_name: string | null;
  township_code: string | null;
  raised_at: string;
  ended_at: string | null;
}

/** What the desk sent to a wall. */
export interface SentScene {
  wall_id: string;
  scene: string;
  seconds: number;
  town: string | null;
  /** the grid that the map goes to */
  focus?: { grid_code: string; grid_name: string; bounds: Bounds } | null;
  at: string;
}

export interface WallAnswer {
  wall: { id: string; title: string };
  generated_at: string;
  position: number;
  bounds: Bounds | null;
  figures: Figures;
  incidents: Features;
  /** all incidents since then, and of those before the longest overdue; null where these are all */
  complete_since?: string | null;
  grids: { grid_code: string; open: number }[];
  layers: string[];
  tour: Tour;
  alarms: Alarm[];
  sent_scene: SentScene | null;
}

export interface Town extends Figures {
  code: string;
  name: string;
  bounds: Bounds;
  /** reported in seven days and in those before */
  week: number;
  week_before: number;
  /** reported in 30 days */
  reported: number;
}

/** The counts behind a wall's panels. */
export interface Statistics {
  generated_at: string;
  hours: number[];
  days: { day: string; reported: number; done: number }[];
  weeks: { done: number; late: number; timed: number; median_hours: number | null }[];
  states: Record<string, number>;
  /** open for less than 1, 3, 7 days, and longer */
  ages: number[];
  /** overdue, due within 24 hours, within 3 days, and later */
  due: number[];
  /** reported in 30 days by hour of the day */
  by_hour: number[];
  month: number;
  month_before: number;
  towns: Town[];
  grids: { grid_code: string; open: number; overdue: number; reported: number }[];
  cameras: { town: string | null; site_class: string; status: string | null; count: number }[];
}

/** The places of grids by what they completed; equal numbers share a place. */
export interface Ranking {
  period: "week" | "month" | "year";
  since: string;
  until: string;
  is_closed: boolean;
  places: { place: number; code: string; completed: number }[];
}

export interface Replay {
  until: string;
  incidents: { lon: number; lat: number; is_urgent: boolean; begun_at: string; ended_at: string | null }[];
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

/** One move of mending: what it does, from whom to whom, and where. */
export interface Move {
  key: string;
  finding?: number | null;
  kind: string;
  message: string;
  confidence: number;
  area_m2: number;
  width_m: number;
  addresses: number | null;
  households: number | null;
  changes: { from: string | null; to: string | null; area_m2: number }[];
  geometry: Geometry | null;
}

/** Moves that were carried out together, and whether they were undone. */
export interface MendingStep {
  id: number;
  generation: number;
  who: string;
  at: string;
  moves: Move[];
  undone: { who: string; at: string } | null;
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
