/** Answers that are kept on the phone, for when the server cannot be asked. */

import { getJson, Problem } from "./http.js";
import { fetched, keepFetched } from "./outbox_store.js";

/**
 * What the server says, or what it said last to this account where it cannot be reached.
 * @param {string} account
 * @param {string} url
 * @returns {Promise<any>}
 */
export async function keptJson(account, url) {
  try {
    const body = await getJson(url);
    // without room the page still works as long as there is a network
    await keepFetched(account, url, body).catch(() => {});
    return body;
  } catch (error) {
    if (!(error instanceof Problem) || (error.status !== 0 && error.status < 500)) throw error;
    const body = await fetched(account, url).catch(() => undefined);
    if (body === undefined) throw error;
    return body;
  }
}
