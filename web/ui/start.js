/** What every page does first: take language and time zone from the document, and load the dictionary. */

import { setTimeZone } from "../core/formats.js";
import { getJson, Problem } from "../core/http.js";
import { setLanguage } from "../core/i18n.js";

/** Load the words of the page's language; zh-CN is the original and needs none. */
export async function start() {
  setTimeZone(document.documentElement.dataset.timeZone ?? "");
  const language = document.documentElement.lang.startsWith("en") ? "en" : "zh";
  setLanguage(language, language === "zh" ? {} : await getJson("/static/i18n/en.json").catch(() => ({})));
}

/**
 * The sentence of a failure; anything but a Problem is a bug and goes on to the console.
 * @param {unknown} error
 * @returns {string}
 */
export function sentenceOf(error) {
  if (error instanceof Problem) return error.message;
  throw error;
}
