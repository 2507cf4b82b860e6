/** The one module that talks to the server: JSON in and out, problems as one sentence, the CSRF header. */

import { _ } from "./i18n.js";

/** How long an answer to a question may take. */
const PATIENCE_MS = 30_000;

/** A refusal or failure, with one sentence for the reader. */
export class Problem extends Error {
  /**
   * @param {number} status HTTP status; 0 when no answer came
   * @param {string} sentence
   * @param {Record<string, any>} body members of the problem document
   */
  constructor(status, sentence, body = {}) {
    super(sentence);
    this.status = status;
    this.body = body;
  }
}

/**
 * Whether the server itself denies what was asked for. Something on the way may answer with the same numbers while the server is
 * away.
 * @param {Problem} problem
 */
export function isRefusal({ status, body }) {
  return [401, 403, 404].includes(status) && typeof body.type === "string";
}

/**
 * Who is signed in. Asked anew before every change, because a form may stay open longer than its token lives.
 * @returns {Promise<import("./types.js").Session>}
 */
export function getSession() {
  return getJson("/api/session");
}

/**
 * @param {string} url
 * @param {AbortSignal} [signal] of a question that may be given up
 * @returns {Promise<any>}
 */
export function getJson(url, signal) {
  return send(url, { headers: { Accept: "application/json" }, ...(signal && { signal }) });
}

/**
 * The bytes of a tile; null where there is nothing (204).
 * @param {string} url
 * @param {AbortSignal} signal of a tile that may be given up
 * @returns {Promise<ArrayBuffer | null>}
 */
export async function getBytes(url, signal) {
  const { response, body } = await ask(url, { signal }, PATIENCE_MS, (answer) => answer.arrayBuffer());
  if (!response.ok) throw problemOf(response.status, parse(new TextDecoder().decode(body)));
  return response.status === 204 ? null : body;
}

/**
 * A file that the server makes on demand, with the name that it gives it.
 * @param {string} url
 * @param {number} patience ms
 * @returns {Promise<{ name: string, blob: Blob }>}
 */
export async function getFile(url, patience) {
  const { response, body } = await ask(url, {}, patience, (answer) => answer.blob());
  if (!response.ok) throw problemOf(response.status, parse(await body.text()));
  return { name: nameIn(response.headers.get("Content-Disposition") ?? ""), blob: body };
}

/**
 * The name under which an answer wants to be kept (RFC 6266), "" without one.
 * @param {string} disposition
 */
export function nameIn(disposition) {
  const encoded = /filename\*=UTF-8''([^;]+)/.exec(disposition)?.[1];
  return encoded ? decodeURIComponent(encoded) : (/filename="([^"]+)"/.exec(disposition)?.[1] ?? "");
}

/**
 * @param {string} url
 * @param {"POST" | "PUT" | "DELETE"} method
 * @param {unknown} [body] sent as JSON
 * @param {Record<string, string>} [headers]
 * @param {number} [patience] ms after which the connection counts as lost, where sending twice does no harm
 * @returns {Promise<any>}
 */
export async function sendJson(url, method, body, headers = {}, patience = 0) {
  const { csrf_token } = await getSession();
  return send(url, {
    method,
    headers: {
      Accept: "application/json",
      "X-CSRFToken": csrf_token,
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }, patience);
}

/**
 * Send a form without watching it, from a page or a worker.
 * @param {string} url
 * @param {FormData} form
 * @param {number} patience ms after which the connection counts as lost
 * @returns {Promise<any>}
 */
export async function sendForm(url, form, patience) {
  const { csrf_token } = await getSession();
  const headers = { Accept: "application/json", "X-CSRFToken": csrf_token };
  return send(url, { method: "POST", headers, body: form }, patience);
}

/**
 * Send files; `progress` hears the share that is on its way, 0…1. (`fetch` cannot tell that.)
 * @param {string} url
 * @param {FormData} form
 * @param {(share: number) => void} progress
 * @returns {Promise<any>}
 */
export async function upload(url, form, progress) {
  const { csrf_token } = await getSession();
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("X-CSRFToken", csrf_token);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total);
    });
    request.addEventListener("error", () => reject(unreachable()));
    request.addEventListener("load", () => {
      const body = parse(request.responseText);
      if (request.status < 400) resolve(body);
      else reject(problemOf(request.status, body));
    });
    request.send(form);
  });
}

/**
 * @param {string} url
 * @param {RequestInit} options
 * @param {number} [patience] ms; 0 waits for ever
 */
async function send(url, options, patience = options.method ? 0 : PATIENCE_MS) {
  const { response, body: text } = await ask(url, options, patience, (answer) => answer.text());
  const body = parse(text);
  if (!response.ok) throw problemOf(response.status, body);
  return body;
}

/**
 * @template T
 * @param {string} url
 * @param {RequestInit} options
 * @param {number} patience ms; 0 waits for ever
 * @param {(response: Response) => Promise<T>} read
 */
async function ask(url, options, patience, read) {
  // a half-open connection never fails by itself; changes are left to the server, which may still be at work
  const abort = new AbortController();
  const timer = patience ? setTimeout(() => abort.abort(), patience) : undefined;
  try {
    options.signal?.addEventListener("abort", () => abort.abort(), { once: true });
    const response = await fetch(url, { credentials: "same-origin", ...options, signal: abort.signal });
    return { response, body: await read(response) };
  } catch {
    throw unreachable();
  } finally {
    clearTimeout(timer);
  }
}

/** @param {string} text */
function parse(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

/** No answer came. */
export function unreachable() {
  return new Problem(0, _("连不上服务器，请检查网络后重试。"));
}

/**
 * @param {number} status
 * @param {any} body
 */
export function problemOf(status, body) {
  const sentence = body?.detail || body?.title;
  return new Problem(status, sentence || _("服务器没有完成请求（{status}），请稍后重试。", { status }), body ?? {});
}
