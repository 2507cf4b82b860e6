// The roster as the desk and the planners see it.

export interface RosterPerson {
  name: string | null;
  title: string;
  unit: string | null;
  community_post: string | null;
  certified: boolean | null;
  stands_in_for: string | null;
  valid_from: string;
  valid_to: string | null;
  phone?: string | null;
  staff_no?: string | null;
}

export interface RosterFinding {
  severity: "error" | "warning" | "option";
  clause: string;
  codes: string[];
  message: { zh: string; en: string };
}

export interface RosterGrid {
  grid_code: string;
  grid_name: string;
  grid_kind: string | null;
  areas: string[];
  severity: "error" | "warning" | "option" | null;
  people: RosterPerson[];
  answers: { name: string | null; title: string | null; vacant: string[]; unit: string | null };
  findings: RosterFinding[];
}

export interface RosterArea {
  code: string;
  name: string;
  level: "county" | "township" | "community";
  people: RosterPerson[];
}

export interface RosterView {
  generation: number | null;
  total: number;
  offset: number;
  counts: { error: number; warning: number; option: number; none: number };
  findings: RosterFinding[];
  grids: RosterGrid[];
  areas: RosterArea[];
}
