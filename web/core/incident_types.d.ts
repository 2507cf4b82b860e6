// One incident as the desk opens it: history, clock, and what may be done next.

import type { Incident } from "./types.js";
import type { Routed } from "./place.js";

export interface Titled {
  zh: string;
  en: string;
}

export interface Clock {
  clock: "hours" | "working_days" | "calendar_days";
  least: number | null;
  most: number;
  at_once: boolean;
  clause: string | null;
  inferred: boolean;
  starts_at: string;
  due_at: string;
  provisional: boolean;
  days: { date: string; kind: "working" | "weekend" | "holiday" | "made_up"; holiday: string | null; number: number | null }[];
}

export interface HistoryRow {
  at: string;
  actor: string;
  from_state: string | null;
  place: { lon: number; lat: number } | null;
  filled: {
    lead_unit?: string;
    responsible_unit?: string;
    person_in_charge?: string;
    rating?: number;
    scores?: Record<string, number>;
  } | null;
  to_state: string;
  note: string | null;
  title: Titled | null;
  level: string | null;
  entered_for: string | null;
  clause: string | null;
  trace: { clock?: Clock; ended?: { standing: string; delay_s: number; at_once: boolean; due_at: string } } | null;
}

/** What the watch over clocks told. */
export interface Alert {
  kind: "warning" | "overdue" | "escalation" | "recomputed";
  title: Titled;
  at: string;
  due_at: string;
  old_due_at: string | null;
  round: number;
  told: { party: string; level: string | null; name: string | null } | null;
  clause: string | null;
  trace: { clock?: Clock } | null;
}

/** What each filter of the list would leave. */
export interface Counts {
  total: number;
  rated: number;
  rating: number | null;
  flags: Record<string, number>;
  states: Record<string, number>;
  units: { unit: string; count: number }[];
  grids: { grid_code: string; grid_name: string | null; count: number }[];
}

export interface StepField {
  name: string;
  title: Titled;
  required: boolean;
  value: string | Record<string, number | null> | null;
}

export interface NextStep {
  step: string;
  title: Titled;
  to_state: string;
  /** whether it changes the state, or only adds a word */
  moves: boolean;
  clause: string | null;
  fields: StepField[];
}

export type Opened = Omit<Incident, "grid" | "sub_grid" | "history" | "description"> &
  Routed & {
    /** null where it is protected from this reader */
    description: string | null;
    responsible_unit: string | null;
    person_in_charge: string | null;
    first_contact: string | null;
    clock: Clock | null;
    history: HistoryRow[];
    next_steps: NextStep[];
    refused_steps: { step: string; title: Titled; reason: string; clause: string | null }[];
    alerts: Alert[];
    /** walls call for it, and this reader may acknowledge it */
    is_calling: boolean;
    warning: { at: string; share_pct: number } | null;
    scores: Record<string, number> | null;
    /** the address or camera that the place was taken from, where this reader may know it */
    found: { kind: "address" | "camera"; code: string; text: string | null } | null;
  };
