// A grid and a point as the desk shows them; fields above the reader's tier are not there.

export interface Holder {
  post: string;
  title: string;
  name: string | null;
  phone: string | null;
  unit: string | null;
  stands_in_for: string | null;
  valid_from: string;
  valid_to: string | null;
}

export interface Answers {
  person: Holder | null;
  rung: string | null;
  vacant: string[];
  unit: { code: string; name: string } | null;
  managers: { mode: "department" | "territory"; unit: string | null; person: Holder | null }[];
}

export interface Camera {
  camera_code?: string;
  camera_name?: string;
  camera_site_class: string;
  status: string | null;
  source_class?: string | null;
  image_months?: number | null;
  video_months?: number | null;
  direction?: string | null;
  field_angle?: number | null;
  view_distance_m?: number | null;
  lon: number;
  lat: number;
  retention: {
    is_compliant: boolean | null;
    missing: { what: "image_months" | "video_months"; kept: number | null; least: number; clause: string | null }[];
  } | null;
}

export interface NearCamera extends Camera {
  distance_m: number;
  sees: boolean | null;
  is_by_direction_only: boolean;
}

export interface AreaOf {
  code: string;
  name: string;
  level?: "county" | "township" | "community";
}

export interface Month {
  days: { day: string; opened: number; closed: number }[];
  length: number;
  opened: number;
  closed: number;
  on_time_pct: number | null;
  open_now: number;
  overdue_now: number;
  items: { item: string | null; count: number }[];
}

export interface GridCard {
  grid: {
    grid_code: string;
    grid_name: string;
    grid_kind: string;
    settlement_class?: string | null;
    resident_households?: number | null;
    actual_population?: number | null;
    host_units?: string | null;
    managing_department?: string | null;
  };
  lon: number;
  lat: number;
  bounds: [west: number, south: number, east: number, north: number];
  geometry: import("geojson").Polygon | import("geojson").MultiPolygon;
  areas: AreaOf[];
  answers: Answers | null;
  roster: { people: Holder[]; findings: { severity: string; clause: string; message: { zh: string; en: string } }[] } | null;
  cameras: Camera[] | null;
  month: Month;
}

export interface Nearby {
  lon: number;
  lat: number;
  match: string;
  grid_code: string | null;
  grid_name: string | null;
  areas: AreaOf[];
  reach_m: number;
  cameras: NearCamera[] | null;
  staff: { grid_code: string; grid_name: string; distance_m: number; is_own: boolean; answers: Answers }[];
}

/** An urgent incident that nobody has answered. */
export interface Calling {
  id: number;
  number: string;
  item: string | null;
  grid_code: string | null;
  grid_name: string | null;
  raised_at: string;
}

/** What decides what stands on a wall. */
export interface DeskWall {
  wall: { id: string; title: string };
  generated_at: string;
  tour: import("./types.js").Tour;
  alarms: import("./types.js").Alarm[];
  sent_scene: import("./types.js").SentScene | null;
  towns: { code: string; name: string }[];
}
