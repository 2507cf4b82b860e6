import assert from "node:assert/strict";
import { test } from "node:test";

import { age, area, clock, count, dayAndTime, distance, sameDay, setTimeZone } from "../core/formats.js";
import { _, setLanguage } from "../core/i18n.js";

setTimeZone("Asia/Shanghai");

test("numbers carry thin-space thousands and a true minus", () => {
  assert.equal(count(999), "999");
  assert.equal(count(1234567.4), "1\u2009234\u2009567");
  assert.equal(count(-1200), "\u22121\u2009200");
});

test("lengths and areas carry their units", () => {
  assert.equal(distance(37.4), "37 米");
  assert.equal(distance(1450), "1.4 千米");
  assert.equal(area(0), "0 平方米");
  assert.equal(area(0.5), "0.50 平方米");
  assert.equal(area(1_234_000), "1.23 平方千米");
});

test("times are shown in the deployment's zone, wherever the browser is", () => {
  const moment = new Date("2026-11-21T20:05:09Z");
  assert.equal(clock(moment), "04:05");
  assert.equal(clock(moment, { seconds: true }), "04:05:09");
  assert.match(dayAndTime(moment, new Date("2026-12-01T00:00:00Z")), /^11\/22.04:05$/);
  assert.match(dayAndTime(moment, new Date("2027-12-01T00:00:00Z")), /2026/);
});

test("the day changes at the zone's midnight", () => {
  assert.ok(sameDay(new Date("2026-11-21T16:00:00Z"), new Date("2026-11-22T15:59:59Z")));
  assert.ok(!sameDay(new Date("2026-11-21T15:59:59Z"), new Date("2026-11-21T16:00:00Z")));
});

test("ages use one unit, and a clock that is ahead is not the future", () => {
  const now = new Date("2026-11-22T12:00:00Z");
  assert.equal(age(new Date("2026-11-22T12:00:30Z"), now), "刚刚");
  assert.equal(age(new Date("2026-11-22T11:01:00Z"), now), "59 分钟前");
  assert.equal(age(new Date("2026-11-22T09:00:00Z"), now), "3 小时前");
  assert.equal(age(new Date("2026-11-19T09:00:00Z"), now), "3 天前");
});

test("sentences fall back to the original and keep unknown places", () => {
  setLanguage("en", { "{n} 分钟前": "{n} min ago" });
  assert.equal(_("{n} 分钟前", { n: 5 }), "5 min ago");
  assert.equal(_("没有译文"), "没有译文");
  assert.equal(_("{n} 与 {m}", { n: 1 }), "1 与 {m}");
  setLanguage("zh", {});
});
