/** Sends what waits on the phone; used by the page and, with the page closed, by its worker. */

import { getSession, Problem, sendForm, sendJson } from "./http.js";
import { due, lost, meaning, nextDue, photoDone, putBack, recorded, refused, rested, sending, sent } from "./outbox.js";
import { photosFor, reportsOf, updateReport } from "./outbox_store.js";

/** @typedef {import("./outbox.js").Report} Report */

/** How a round of sending ended: `account` is who is signed in at the server now. */
/** @typedef {{end: "done" | "offline" | "sign-in" | "busy", account: string | null, nextAt: number | null}} Round */

const PATIENCE_MS = 45_000;
const PHOTO_PATIENCE_MS = 180_000;
const LOCK = "gis-report-outbox";

/**
 * Send everything of `account` whose turn it is, one after the other. Two rounds never run at once where the browser has
 * locks; where it has none, the key of each report keeps it from being recorded twice.
 * @param {string | null} account null takes whoever is signed in
 * @param {{now?: () => number, isBack?: boolean}} [options] `isBack`: the network has just come back, nothing rests
 * @returns {Promise<Round>}
 */
export async function sendWaiting(account, { now = Date.now, isBack = false } = {}) {
  const round = () => sendRound(account, now, isBack);
  if (!("locks" in navigator)) return round();
  return navigator.locks.request(LOCK, { ifAvailable: true }, (lock) =>
    lock ? round() : { end: /** @type {const} */ ("busy"), account, nextAt: null },
  );
}

/**
 * @param {string | null} account
 * @param {() => number} now
 * @param {boolean} isBack
 * @returns {Promise<Round>}
 */
async function sendRound(account, now, isBack) {
  if (account !== null) await takeUp(account, now(), isBack);
  if (account !== null && !due(await reportsOf(account, now()), account, now()).length) return ended("done", account, now());
  let session;
  try {
    session = await getSession();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (account !== null) await restAll(account, now());
    return ended("offline", account, now());
  }
  const who = session?.account ?? null;
  if (who === null || (account !== null && who !== account)) return { ...(await ended("sign-in", account, now())), account: who };
  if (account === null) await takeUp(who, now(), isBack);
  // asked anew after each one: more may have come meanwhile
  for (;;) {
    const [next] = due(await reportsOf(who, now()), who, now());
    if (!next) return ended("done", who, now());
    const end = await sendOne(next, now);
    if (end === "sign-in" || end === "offline") return ended(end, who, now());
  }
}

/**
 * What a page that was closed has left half sent waits again.
 * @param {string} account
 * @param {number} now
 * @param {boolean} isBack
 */
async function takeUp(account, now, isBack) {
  for (const report of await reportsOf(account, now)) {
    if (report.standing === "sending") await updateReport(putBack(report));
    else if (isBack && report.standing === "waiting" && report.nextAt > now) await updateReport(rested(report));
  }
}

/**
 * @param {string} account
 * @param {number} now
 */
async function restAll(account, now) {
  for (const report of due(await reportsOf(account, now), account, now)) await updateReport(lost(report, now, Math.random()));
}

/**
 * @param {Round["end"]} end
 * @param {string | null} account
 * @param {number} now
 * @returns {Promise<Round>}
 */
async function ended(end, account, now) {
  const nextAt = account === null ? null : nextDue(await reportsOf(account, now), account);
  return { end, account, nextAt };
}

/**
 * @param {Report} waiting
 * @param {() => number} now
 * @returns {Promise<"sent" | "refused" | "offline" | "sign-in">}
 */
async function sendOne(waiting, now) {
  let report = waiting;
  const keep = async (/** @type {Report} */ next) => {
    report = next;
    await updateReport(next);
  };
  await keep(sending(report));
  try {
    if (report.incident === null) {
      const answer = await sendJson("/api/incidents", "POST", report.body, { "Idempotency-Key": report.id }, PATIENCE_MS);
      // a hotel's or operator's log-in page answers too, but records nothing
      if (!answer?.number) throw new Problem(0, "");
      await keep(recorded(report, answer));
    }
    const photos = await photosFor(report.id);
    // one by one: a connection that breaks costs one photo's way, not all of them
    for (const photo of photos.slice(report.photosSent)) await keep(photoDone(report, await sendPhoto(report, photo)));
    await keep(sent(report));
    return "sent";
  } catch (error) {
    if (!(error instanceof Problem)) {
      await keep(putBack(report));
      throw error;
    }
    const end = meaning(error.status);
    if (end === "refused") await keep(refused(report, error.message, error.body.field ?? null));
    else await keep(end === "lost" ? lost(report, now(), Math.random()) : putBack(report));
    return end === "lost" ? "offline" : end;
  }
}

/**
 * Send one photo; why it was not taken, or null. A lost connection is the caller's matter.
 * @param {Report} report
 * @param {import("./outbox_store.js").KeptPhoto} photo
 */
async function sendPhoto(report, { name, type, bytes }) {
  const form = new FormData();
  form.append("photo", new Blob([bytes], { type }), name);
  if (report.keepPlace) form.append("keep_place", "yes");
  try {
    await sendForm("/api/incidents/" + report.incident?.id + "/photos", form, PHOTO_PATIENCE_MS);
    return null;
  } catch (error) {
    if (error instanceof Problem && meaning(error.status) === "refused") return error.message;
    throw error;
  }
}
