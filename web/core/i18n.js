/**
 * The interface's words. The zh-CN sentence in the code is the original and the key; other languages come as a
 * dictionary. Never call `_()` inside a template literal: the collector of sentences does not look there.
 */

/** @type {Record<string, string>} */
let dictionary = {};
let language = "zh";

/**
 * Use `words` for what follows; the empty dictionary reads the originals.
 * @param {string} chosen "zh" or "en"
 * @param {Record<string, string>} words
 */
export function setLanguage(chosen, words) {
  language = chosen;
  dictionary = words;
}

/** The language in use, "zh" or "en". */
export function currentLanguage() {
  return language;
}

/** The locale for numbers and dates. */
export function locale() {
  return language === "en" ? "en-GB" : "zh-CN";
}

/**
 * The sentence in the reader's language, with `{name}` places filled.
 * @param {string} template zh-CN original
 * @param {Record<string, string | number>} [values]
 */
export function _(template, values = {}) {
  const words = dictionary[template] || template;
  return words.replace(/\{(\w+)\}/g, (place, name) => (name in values ? String(values[name]) : place));
}
