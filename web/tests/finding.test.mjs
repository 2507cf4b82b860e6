import assert from "node:assert/strict";
import { test } from "node:test";

import { bySeverity, clauseWords, counted, filtered, isAcceptable, stateOf, totals } from "../core/finding.js";

let ids = 0;

/**
 * @param {Partial<import("../core/types.js").Finding>} [given]
 * @returns {import("../core/types.js").Finding}
 */
function finding(given = {}) {
  ids += 1;
  return {
    id: ids,
    kind: "gap",
    rule: "V1",
    severity: "error",
    clause: "zhenjiang 10(1)",
    codes: [],
    area_m2: 1,
    width_m: 1,
    message: "",
    geometry: null,
    acceptance: null,
    ...given,
  };
}

const ACCEPTED = { who: "planner", at: "2026-03-01T12:00:00Z", reason: "老旧小区" };

test("errors come first, then what concerns more people, then what is larger", () => {
  const found = [
    finding({ severity: "option", area_m2: 900 }),
    finding({ severity: "warning", area_m2: 500 }),
    finding({ area_m2: 1 }),
    finding({ area_m2: 7 }),
    finding({ area_m2: 2, weight: { addresses: 1, people: 3, open_incidents: 0 } }),
  ];
  assert.deepEqual(
    bySeverity(found).map(({ area_m2 }) => area_m2),
    [2, 7, 1, 500, 900],
  );
});

test("only a warning can be accepted, and only once", () => {
  assert.equal(isAcceptable(finding()), false);
  assert.equal(isAcceptable(finding({ severity: "warning" })), true);
  assert.equal(isAcceptable(finding({ severity: "warning", acceptance: ACCEPTED })), false);
  assert.equal(stateOf(finding({ severity: "option" })), "none");
});

test("a filter by kind, severity and state", () => {
  const found = [
    finding(),
    finding({ kind: "size", severity: "warning" }),
    finding({ kind: "size", severity: "warning", acceptance: ACCEPTED }),
  ];
  const all = { kind: "", severity: "", state: "" };
  assert.equal(filtered(found, all).length, 3);
  assert.equal(filtered(found, { ...all, kind: "size" }).length, 2);
  assert.equal(filtered(found, { ...all, severity: "error" }).length, 1);
  assert.equal(filtered(found, { ...all, state: "open" }).length, 2);
  assert.equal(filtered(found, { kind: "size", severity: "warning", state: "accepted" }).length, 1);
  assert.deepEqual([...counted(found, ({ kind }) => kind)], [["gap", 1], ["size", 2]]);
});

test("a coverage that lacks a hair is not called complete", () => {
  const areas = { gap_area_m2: 0.5, overlap_area_m2: 0, outside_area_m2: 1234 };
  assert.match(totals({ coverage_pct: 99.9999999, ...areas }), /^覆盖率 99\.9999% · 空隙 0\.50 平方米/);
  assert.match(totals({ coverage_pct: 100, ...areas }), /^覆盖率 100%/);
  assert.equal(totals({}), "");
});

test("a rule of the product does not pass for law", () => {
  assert.equal(clauseWords(finding({ clause: "product brief" })), "产品约定，文件未规定");
  assert.equal(clauseWords(finding()), "zhenjiang 10(1)");
});
