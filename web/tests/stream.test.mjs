import assert from "node:assert/strict";
import { test } from "node:test";

import { LiveStream } from "../core/live.js";
import { again, connecting, freshness, heard, isDue, isNews, HEARTBEAT_MS, isSilent, lost, POLL_MS, SILENCE_MS, waitBefore } from "../core/stream.js";

test("silence is noticed within 15 seconds, and only after more than two heartbeats", () => {
  assert.ok(SILENCE_MS <= 13_000 && SILENCE_MS > 2 * HEARTBEAT_MS);
  const state = heard(connecting(7, 0), 1_000, null);
  assert.ok(!isSilent(state, 1_000 + SILENCE_MS));
  assert.ok(isSilent(state, 1_001 + SILENCE_MS));
});

test("a connection that never opens is silent too", () => {
  assert.ok(isSilent(connecting(0, 0), SILENCE_MS + 1));
});

test("waits double up to a limit and are spread out", () => {
  assert.equal(waitBefore(1, 0), 500);
  assert.equal(waitBefore(1, 1), 1_000);
  assert.equal(waitBefore(4, 1), 8_000);
  assert.equal(waitBefore(30, 1), 30_000);
});

test("after a loss the last position is kept, and the wait begins anew once the server was heard", () => {
  let state = heard(connecting(3, 0), 10, 9);
  state = lost(lost(state, 20, 1), 30, 1);
  assert.equal(state.lastId, 9);
  assert.equal(state.failures, 2);
  assert.ok(!isDue(state, state.retryAt - 1) && isDue(state, state.retryAt));
  state = heard(again(state, 5_000), 5_001, null);
  assert.equal(state.failures, 0);
});

test("an event that was seen is no news", () => {
  const state = heard(connecting(0, 0), 0, 12);
  assert.ok(!isNews(state, 12) && !isNews(state, 11) && isNews(state, 13));
});

/** A server-sent-events source that does what the test says. */
class Source extends EventTarget {
  /** @param {string} url */
  constructor(url) {
    super();
    this.url = url;
    this.isClosed = false;
  }
  close() {
    this.isClosed = true;
  }
  /**
   * @param {string} kind
   * @param {object} data
   * @param {string} [lastEventId]
   */
  say(kind, data, lastEventId = "") {
    this.dispatchEvent(Object.assign(new Event(kind), { data: JSON.stringify(data), lastEventId }));
  }
}

function stream(after = 4) {
  /** @type {Source[]} */
  const sources = [];
  /** @type {any[]} */
  const log = [];
  const time = { now: 0 };
  const live = new LiveStream(
    "/api/events",
    after,
    {
      event: (kind, data) => log.push([kind, data.number]),
      phase: (phase) => log.push(phase),
      heartbeat: (moment) => log.push(moment.toISOString()),
      back: () => log.push("back"),
    },
    {
      open: (url) => {
        const source = new Source(url);
        sources.push(source);
        return /** @type {EventSource} */ (/** @type {unknown} */ (source));
      },
      now: () => time.now,
      random: () => 0,
    },
  );
  return { live, sources, log, time };
}

test("a half-open socket is left, and what was missed is asked for after the last event", (t) => {
  const { live, sources, log, time } = stream();
  t.after(() => live.close());
  assert.equal(sources[0]?.url, "/api/events?after=4");
  sources[0]?.say("incident", { number: "a" }, "5");
  time.now = SILENCE_MS + 1;
  live.tick();
  assert.ok(sources[0]?.isClosed);
  time.now += 500;
  live.tick();
  assert.equal(sources[1]?.url, "/api/events?after=5");
  sources[1]?.say("incident", { number: "a" }, "5");
  sources[1]?.say("incident", { number: "b" }, "6");
  assert.deepEqual(log, ["live", ["incident", "a"], "waiting", "connecting", "live", "back", ["incident", "b"]]);
});

test("heartbeats keep it alive and tell the server's time", (t) => {
  const { live, sources, log, time } = stream();
  t.after(() => live.close());
  for (let second = 5; second < 60; second += 5) {
    time.now = second * 1_000;
    sources[0]?.say("heartbeat", { now: "2026-11-22T12:00:00+08:00" });
    live.tick();
  }
  assert.equal(sources.length, 1);
  assert.equal(log.at(-1), "2026-11-22T04:00:00.000Z");
});

test("where the server cannot replay, positions begin anew and everything is fetched again", (t) => {
  const { live, sources, log } = stream(900);
  t.after(() => live.close());
  sources[0]?.say("reset", { position: 3 }, "3");
  sources[0]?.say("incident", { number: "a" }, "4");
  assert.deepEqual(log, ["live", "back", ["incident", "a"]]);
});

test("an error closes the source, so that the browser does not reconnect beside us", (t) => {
  const { live, sources, log } = stream(0);
  t.after(() => live.close());
  assert.equal(sources[0]?.url, "/api/events?after=0");
  sources[0]?.dispatchEvent(new Event("error"));
  assert.ok(sources[0]?.isClosed);
  assert.deepEqual(log, ["waiting"]);
});

test("a stream that opens and tells nothing, as behind a proxy that keeps it back, is a loss like any other", (t) => {
  const { live, sources, log, time } = stream();
  t.after(() => live.close());
  for (let losses = 1; losses <= 3; losses += 1) {
    sources.at(-1)?.dispatchEvent(new Event("open"));
    time.now += SILENCE_MS + 1;
    live.tick();
    assert.equal(live.state.failures, losses);
    time.now += 30_000;
    live.tick();
  }
  assert.ok(!log.includes("live"));
  assert.equal(freshness(live.state, 0, true), "polling");
  sources.at(-1)?.say("heartbeat", { now: "2026-11-22T12:00:00+08:00" });
  assert.equal(freshness(live.state, 0, true), "live");
});

test("what is shown is old at twice the interval at which it comes, and within 15 seconds", () => {
  const live = heard(connecting(0, 0), 0, null);
  assert.equal(freshness(live, SILENCE_MS, false), "live");
  assert.equal(freshness(live, SILENCE_MS + 1, false), "stale");
  let state = lost(live, 0, 1);
  assert.equal(freshness(state, 2 * HEARTBEAT_MS, false), "waiting");
  assert.equal(freshness(state, 2 * HEARTBEAT_MS + 1, false), "stale");
  for (const loss of [2, 3]) state = lost(again(state, loss), loss, 1);
  // answered every POLL_MS, it does not flicker from fresh to old and back
  for (const age of [0, POLL_MS, POLL_MS + 2_000]) assert.equal(freshness(state, age, true), "polling");
  assert.equal(freshness(again(state, 9), POLL_MS, true), "polling");
  assert.equal(freshness(state, 2 * POLL_MS + 1, true), "stale");
  assert.ok(2 * POLL_MS + 1_000 < 15_000);
});
