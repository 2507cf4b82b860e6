import assert from "node:assert/strict";
import { test } from "node:test";

import { before, fromAddress, isNarrowed, toAddress, toRequest } from "../core/desk_query.js";

test("an address says the same filters again", () => {
  for (const address of ["", "state=all&q=%E4%BA%95&urgent=yes", "overdue=yes&unit=x&order=due", "bbox=1%2C2%2C3%2C4"]) {
    assert.deepEqual([...toAddress(fromAddress(new URLSearchParams(address)))].sort(), [...new URLSearchParams(address)].sort());
  }
});

test("without a state the open list is asked for", () => {
  const ask = (/** @type {string} */ address) => toRequest(fromAddress(new URLSearchParams(address))).toString();
  assert.equal(ask(""), "open=yes");
  assert.equal(ask("state=all"), "");
  assert.equal(ask("state=closed"), "open=no");
  assert.equal(ask("state=dispatched"), "state=dispatched");
  assert.equal(ask("overdue=no&urgent=1"), "open=yes");
});

test("only filters narrow", () => {
  assert.equal(isNarrowed(fromAddress(new URLSearchParams("order=due"))), false);
  assert.equal(isNarrowed(fromAddress(new URLSearchParams("until=2024-05-31"))), true);
});

test("rows stand as the server orders them", () => {
  const made = (/** @type {number} */ id, /** @type {string | null} */ due_at) => ({ id, due_at });
  const rows = [made(1, null), made(2, "2024-01-02T00:00:00Z"), made(3, "2024-01-01T00:00:00Z"), made(4, "2024-01-02T00:00:00Z")];
  const ids = (/** @type {"newest" | "due"} */ order) => [...rows].sort((a, b) => before(a, b, order)).map(({ id }) => id);
  assert.deepEqual(ids("newest"), [4, 3, 2, 1]);
  assert.deepEqual(ids("due"), [3, 2, 4, 1]);
});
