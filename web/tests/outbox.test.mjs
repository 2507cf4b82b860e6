import assert from "node:assert/strict";
import { test } from "node:test";

import { restAfter } from "../core/courier.js";
import * as outbox from "../core/outbox.js";

const made = outbox.newReport({ id: "a", account: "x", body: { lon: 1 }, photos: 2, keepPlace: false, now: 100 });

test("a report waits until it is sent, and rests longer after each loss", () => {
  assert.equal(made.standing, "waiting");
  let report = outbox.sending(made);
  assert.equal(report.standing, "sending");
  let last = 0;
  for (let n = 0; n < 12; n++) {
    report = outbox.lost(report, 0, 1);
    assert.equal(report.standing, "waiting");
    assert.ok(report.nextAt >= last);
    last = report.nextAt;
  }
  assert.equal(last, 5 * 60_000, "never longer than five minutes");
  assert.ok(outbox.lost(made, 0, 0).nextAt < outbox.lost(made, 0, 1).nextAt, "phones spread out");
  assert.deepEqual([outbox.rested(report).attempts, outbox.rested(report).nextAt], [0, 0]);
});

test("what is sent stays word for word the same through every loss", () => {
  let report = made;
  for (let n = 0; n < 5; n++) report = outbox.lost(outbox.sending(report), n, 0.5);
  assert.deepEqual(report.body, made.body);
  assert.equal(report.id, made.id);
});

test("photos follow one by one, and one that is not taken does not stop the others", () => {
  let report = outbox.recorded(outbox.sending(made), { id: 7, number: "20260101-000007" });
  report = outbox.photoDone(report, "too large");
  report = outbox.lost(report, 0, 0);
  assert.equal(report.photosSent, 1, "the next try begins with the second");
  report = outbox.sent(outbox.photoDone(outbox.sending(report), null));
  assert.deepEqual([report.standing, report.photosSent, report.photoProblems], ["sent", 2, ["too large"]]);
  assert.equal(report.incident?.number, "20260101-000007");
});

test("only an answer that decides the matter ends it", () => {
  for (const status of [0, 400, 408, 425, 429, 500, 502, 503, 504]) assert.equal(outbox.meaning(status), "lost", String(status));
  for (const status of [403, 404, 409, 413, 415, 422]) assert.equal(outbox.meaning(status), "refused", String(status));
  assert.equal(outbox.meaning(401), "sign-in");
});

test("one account's turn is nobody else's, and the oldest goes first", () => {
  const reports = [
    { ...made, id: "new", madeAt: 3 },
    { ...made, id: "old", madeAt: 1 },
    { ...made, id: "theirs", account: "y" },
    { ...made, id: "resting", nextAt: 50 },
    outbox.sent({ ...made, id: "done" }),
    outbox.refused({ ...made, id: "no" }, "because", "lon"),
  ];
  assert.deepEqual(
    outbox.due(reports, "x", 10).map(({ id }) => id),
    ["old", "new"],
  );
  assert.equal(outbox.nextDue(reports, "x"), 0);
  assert.equal(outbox.nextDue(reports, "z"), null);
  assert.equal(outbox.nextDue([{ ...made, nextAt: 50 }], "x"), 50);
});

test("the next round comes when something is due, later while a sign-in is wanted, never when nothing waits", () => {
  assert.equal(restAfter({ end: "done", account: "x", nextAt: null }, 0), null);
  assert.equal(restAfter({ end: "offline", account: "x", nextAt: 9_000 }, 1_000), 8_000);
  assert.equal(restAfter({ end: "offline", account: "x", nextAt: 0 }, 1_000), 500);
  assert.equal(restAfter({ end: "sign-in", account: null, nextAt: 0 }, 0), 60_000);
  assert.ok(/** @type {number} */ (restAfter({ end: "busy", account: "x", nextAt: null }, 0)) > 0);
});
