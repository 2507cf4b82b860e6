/**
 * What the phone keeps of reports, in IndexedDB: reports, photos, what was fetched for use without a network. Everything
 * belongs to an account, and is given out for that account only.
 */

import { KEEP_SENT_MS } from "./outbox.js";

/** @typedef {import("./outbox.js").Report} Report */
/** @typedef {{name: string, type: string, bytes: ArrayBuffer}} KeptPhoto */

const NAME = "gis-report";
const VERSION = 1;
/** Channel on which pages and the worker tell each other that something has changed. */
export const CHANGED = "gis-report";

/** The phone has no room left, or does not let this page keep anything. */
export class NoRoom extends Error {}

/** @type {Promise<IDBDatabase> | null} */
let opened = null;

/** @returns {Promise<IDBDatabase>} */
function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("reports", { keyPath: "id" });
      // photos of a report, and of the form that is being filled in
      request.result.createObjectStore("photos", { keyPath: ["owner", "place"] });
      request.result.createObjectStore("fetched", { keyPath: ["account", "url"] });
      request.result.createObjectStore("meta");
    };
    request.onsuccess = () => {
      // a newer page wants another shape: let it, and open anew
      request.result.onversionchange = () => {
        request.result.close();
        opened = null;
      };
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
  });
  opened.catch(() => (opened = null));
  return opened;
}

/**
 * Run `work` in one transaction; resolves when it is on the disk.
 * @template T
 * @param {string[]} stores
 * @param {IDBTransactionMode} mode
 * @param {(transaction: IDBTransaction) => T} work
 * @returns {Promise<T>}
 */
async function within(stores, mode, work) {
  let kept;
  try {
    kept = await database();
  } catch (error) {
    throw new NoRoom(String(error));
  }
  return new Promise((resolve, reject) => {
    const transaction = kept.transaction(stores, mode, { durability: mode === "readwrite" ? "strict" : "default" });
    /** @type {T} */
    let result;
    transaction.oncomplete = () => resolve(result);
    transaction.onabort = () => reject(outOf(transaction.error));
    try {
      result = work(transaction);
    } catch (error) {
      reject(outOf(/** @type {DOMException} */ (error)));
      transaction.abort();
    }
  });
}

/** @param {DOMException | null} error */
function outOf(error) {
  return error?.name === "QuotaExceededError" ? new NoRoom(error.message) : (error ?? new Error("aborted"));
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {{value: T | undefined}} filled when the transaction is over
 */
function answerOf(request) {
  const answer = { value: /** @type {T | undefined} */ (undefined) };
  request.onsuccess = () => (answer.value = request.result);
  return answer;
}

/** @param {string} owner the range of one owner's photos */
function photosOf(owner) {
  return IDBKeyRange.bound([owner, 0], [owner, Infinity]);
}

/**
 * Keep a report with its photos, whole or not at all; `replaced` is the refused one that it was made from.
 * @param {Report} report
 * @param {KeptPhoto[]} photos
 * @param {string | null} replaced
 */
export async function keepReport(report, photos, replaced = null) {
  await within(["reports", "photos"], "readwrite", (transaction) => {
    transaction.objectStore("reports").put(report);
    photos.forEach((photo, place) => transaction.objectStore("photos").put({ ...photo, owner: report.id, place }));
    if (replaced !== null) remove(transaction, replaced);
  });
  changed();
}

/**
 * Keep what has become of a report; one that is sent needs its photos no longer.
 * @param {Report} report
 */
export async function updateReport(report) {
  await within(["reports", "photos"], "readwrite", (transaction) => {
    transaction.objectStore("reports").put(report);
    if (report.standing === "sent") transaction.objectStore("photos").delete(photosOf(report.id));
  });
  changed();
}

/** @param {string} id */
export async function removeReport(id) {
  await within(["reports", "photos"], "readwrite", (transaction) => remove(transaction, id));
  changed();
}

/**
 * @param {IDBTransaction} transaction
 * @param {string} id
 */
function remove(transaction, id) {
  transaction.objectStore("reports").delete(id);
  transaction.objectStore("photos").delete(photosOf(id));
}

/**
 * The reports of an account, the newest first; sent ones go after some days.
 * @param {string} account
 * @param {number} now ms
 * @returns {Promise<Report[]>}
 */
export async function reportsOf(account, now) {
  const answer = await within(["reports"], "readonly", (transaction) => answerOf(transaction.objectStore("reports").getAll()));
  const mine = /** @type {Report[]} */ (answer.value ?? []).filter((one) => one.account === account);
  const old = mine.filter((one) => one.standing === "sent" && now - one.madeAt > KEEP_SENT_MS);
  if (old.length) {
    await within(["reports", "photos"], "readwrite", (transaction) => old.forEach(({ id }) => remove(transaction, id)));
  }
  return mine.filter((one) => !old.includes(one)).sort((a, b) => b.madeAt - a.madeAt);
}

/**
 * The photos of a report or of a form, in their order.
 * @param {string} owner
 * @returns {Promise<KeptPhoto[]>}
 */
export async function photosFor(owner) {
  const answer = await within(["photos"], "readonly", (transaction) =>
    answerOf(transaction.objectStore("photos").getAll(photosOf(owner))),
  );
  return answer.value ?? [];
}

/**
 * Keep these photos, and no others, for an owner.
 * @param {string} owner
 * @param {KeptPhoto[]} photos
 */
export function keepPhotos(owner, photos) {
  return within(["photos"], "readwrite", (transaction) => {
    const store = transaction.objectStore("photos");
    store.delete(photosOf(owner));
    photos.forEach((photo, place) => store.put({ ...photo, owner, place }));
  });
}

/**
 * Keep what the server answered, for when it cannot be asked; what belongs to other accounts goes.
 * @param {string} account
 * @param {string} url
 * @param {unknown} body
 */
export function keepFetched(account, url, body) {
  return within(["fetched"], "readwrite", (transaction) => {
    const store = transaction.objectStore("fetched");
    store.delete(IDBKeyRange.upperBound([account], true));
    store.delete(IDBKeyRange.lowerBound([account, []], true));
    store.put({ account, url, body });
  });
}

/**
 * @param {string} account
 * @param {string} url
 * @returns {Promise<any>} undefined if it was never fetched
 */
export async function fetched(account, url) {
  const answer = await within(["fetched"], "readonly", (transaction) =>
    answerOf(transaction.objectStore("fetched").get([account, url])),
  );
  return answer.value?.body;
}

/**
 * @param {string} name
 * @param {unknown} value
 */
export function keepNote(name, value) {
  return within(["meta"], "readwrite", (transaction) => void transaction.objectStore("meta").put(value, name));
}

/** @param {string} name */
export async function noted(name) {
  const answer = await within(["meta"], "readonly", (transaction) => answerOf(transaction.objectStore("meta").get(name)));
  return answer.value;
}

function changed() {
  if (!("BroadcastChannel" in globalThis)) return;
  const channel = new BroadcastChannel(CHANGED);
  channel.postMessage("changed");
  channel.close();
}
