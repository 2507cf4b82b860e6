/**
 * The service worker of the report page: opens it without a network, and sends what waits when the network is back and
 * the page is closed. Its version and the files that it takes along come from the server, in the script that calls `serve`.
 */

import { noted } from "../core/outbox_store.js";
import { sendWaiting } from "../core/outbox_send.js";

/** @typedef {{version: string, files: string[], shells: Record<string, string>}} Build what the server has now */

/** @type {any} */
const worker = self;

const CACHES = "gis-report-";
const PAGE_PATIENCE_MS = 6_000;
const FILE_PATIENCE_MS = 4_000;
/** After a failure the kept files are taken at once for so long: thirty modules must not wait one by one. */
const BELIEVED_LOST_MS = 20_000;

/** @type {Build} */
let build = { version: "", files: [], shells: {} };
let lostAt = -Infinity;

/**
 * Begin to work, by the build that the server names.
 * @param {Build} named
 */
export function serve(named) {
  build = named;
  worker.addEventListener("install", (/** @type {any} */ event) => event.waitUntil(takeAlong()));
  worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(takeOver()));
  worker.addEventListener("fetch", (/** @type {any} */ event) => {
    const { request } = event;
    const url = new URL(request.url);
    if (request.method !== "GET" || url.origin !== location.origin) return;
    if (request.mode === "navigate") {
      if (url.pathname === "/report") event.respondWith(page(request));
    } else if (url.pathname.startsWith("/static/")) event.respondWith(file(request));
  });
  worker.addEventListener("sync", (/** @type {any} */ event) => {
    if (event.tag === "reports") event.waitUntil(sendAll());
  });
}

function cacheName() {
  return CACHES + build.version;
}

async function takeAlong() {
  const cache = await caches.open(cacheName());
  const wanted = [...build.files, ...Object.values(build.shells)];
  // past the browser's own cache: the version is of what the server has now
  await cache.addAll(wanted.map((url) => new Request(url, { cache: "no-cache", credentials: "same-origin" })));
  await worker.skipWaiting();
}

async function takeOver() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(CACHES) && name !== cacheName()).map((name) => caches.delete(name)));
  await worker.clients.claim();
}

/**
 * The page from the server; without one, its frame as it was taken along.
 * @param {Request} request
 */
async function page(request) {
  try {
    const answer = await within(fetch(request), PAGE_PATIENCE_MS);
    if (answer.status < 502) {
      lostAt = -Infinity;
      return answer;
    }
  } catch {
    // no network, or none that deserves the name
  }
  lostAt = Date.now();
  const language = await noted("language").catch(() => undefined);
  const shell = build.shells[String(language)] ?? build.shells["zh"];
  return (await kept(shell)) ?? Response.error();
}

/** @param {Request} request */
async function file(request) {
  if (Date.now() - lostAt < BELIEVED_LOST_MS) return (await kept(request.url)) ?? fetch(request);
  try {
    return await within(fetch(request), FILE_PATIENCE_MS);
  } catch (error) {
    lostAt = Date.now();
    const answer = await kept(request.url);
    if (answer) return answer;
    throw error;
  }
}

/** @param {string} url */
async function kept(url) {
  const cache = await caches.open(cacheName());
  return cache.match(url, { ignoreVary: true, ignoreSearch: true });
}

/**
 * @template T
 * @param {Promise<T>} answer
 * @param {number} patience ms
 * @returns {Promise<T>}
 */
function within(answer, patience) {
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("no answer")), patience);
    answer.then(resolve, reject);
  });
}

/** Whatever waits of whoever is signed in; a failure makes the browser come back later. */
async function sendAll() {
  const { end } = await sendWaiting(null, { isBack: true });
  if (end === "offline") throw new Error("still no network");
}
