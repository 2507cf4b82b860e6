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
  to_state: string;
  note: string | null;
  title: Titled | null;
  level: string | null;
  entered_for: string | null;
  clause: string | null;
  trace: { clock?: Clock; ended?: { standing: string; delay_s: number; at_once: boolean; due_at: string } } | null;
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
  clause: string | null;
  fields: StepField[];
}

export type Opened = Omit<Incident, "grid" | "sub_grid" | "history" | "description"> &
  Routed & {
    /** null where it is protected from this reader */
    description: string | null;
    current_level: string | null;
    lead_unit: string | null;
    responsible_unit: string | null;
    person_in_charge: string | null;
    first_contact: string | null;
    clock: Clock | null;
    history: HistoryRow[];
    next_steps: NextStep[];
  };
