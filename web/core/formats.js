/** Numbers, times and ages as people read them. Times of the server are RFC 3339; `now` is always given. */

import { _, locale } from "./i18n.js";

const THIN_SPACE = "\u2009";

/** @type {{timeZone?: string}} */
let zone = {};

/**
 * Show times in this zone from now on; "" for the browser's own.
 * @param {string} name such as "Asia/Shanghai"
 */
export function setTimeZone(name) {
  zone = name ? { timeZone: name } : {};
  FORMATS.clear();
}

/**
 * Formats by language and parts: making one costs a hundred times what using it does, and a wall tells the time for months.
 * @type {Map<string, Intl.DateTimeFormat>}
 */
const FORMATS = new Map();

/**
 * @param {string} language
 * @param {Intl.DateTimeFormatOptions} parts
 */
function formatOf(language, parts) {
  const key = language + JSON.stringify(parts);
  let format = FORMATS.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(language, { ...zone, ...parts });
    FORMATS.set(key, format);
  }
  return format;
}

/**
 * A whole number with thin-space thousands.
 * @param {number} value
 */
export function count(value) {
  const digits = String(Math.round(Math.abs(value))).replace(/\B(?=(\d{3})+$)/g, THIN_SPACE);
  return value < 0 ? "\u2212" + digits : digits;
}

/**
 * A length with its unit; metres up to a kilometre.
 * @param {number} metres
 */
export function distance(metres) {
  if (metres < 1000) return _("{n} 米", { n: count(metres) });
  return _("{n} 千米", { n: (metres / 1000).toFixed(metres < 10_000 ? 1 : 0) });
}

/**
 * An area with its unit.
 * @param {number} squareMetres
 */
export function area(squareMetres) {
  if (squareMetres > 0 && squareMetres < 1) return _("{n} 平方米", { n: squareMetres.toFixed(2) });
  if (squareMetres < 100_000) return _("{n} 平方米", { n: count(squareMetres) });
  return _("{n} 平方千米", { n: (squareMetres / 1e6).toFixed(2) });
}

/**
 * Hours and minutes, with seconds on request.
 * @param {Date} moment
 * @param {{seconds?: boolean}} [options]
 */
export function clock(moment, { seconds = false } = {}) {
  const parts = /** @type {const} */ ({ hour: "2-digit", minute: "2-digit" });
  return formatOf("en-GB", seconds ? { ...parts, second: "2-digit" } : parts).format(moment);
}

/**
 * Day and time; the year only where it is not this year.
 * @param {Date} moment
 * @param {Date} now
 */
export function dayAndTime(moment, now) {
  /** @param {Date} date */
  const year = (date) => formatOf("en", { year: "numeric" }).format(date);
  return formatOf(locale(), {
    month: "numeric",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
    ...(year(moment) === year(now) ? {} : { year: "numeric" }),
  }).format(moment);
}

/**
 * Month and day of a calendar day.
 * @param {string} day "2026-11-22"
 */
export function monthAndDay(day) {
  return formatOf(locale(), { month: "2-digit", day: "2-digit", timeZone: "UTC" }).format(new Date(day + "T12:00:00Z"));
}

/**
 * Whether two moments fall on one calendar day.
 * @param {Date} one
 * @param {Date} other
 */
export function sameDay(one, other) {
  const day = formatOf("en-CA", { dateStyle: "short" });
  return day.format(one) === day.format(other);
}

/**
 * How long ago, in one unit.
 * @param {Date} moment
 * @param {Date} now
 */
export function age(moment, now) {
  const seconds = Math.max(0, Math.round((now.getTime() - moment.getTime()) / 1000));
  if (seconds < 60) return _("刚刚");
  if (seconds < 3600) return _("{n} 分钟前", { n: Math.floor(seconds / 60) });
  if (seconds < 86_400) return _("{n} 小时前", { n: Math.floor(seconds / 3600) });
  return _("{n} 天前", { n: Math.floor(seconds / 86_400) });
}

/**
 * A length of time in its one or two largest units.
 * @param {number} milliseconds
 */
export function span(milliseconds) {
  const minutes = Math.max(0, Math.floor(milliseconds / 60_000));
  if (minutes < 60) return _("{n} 分钟", { n: minutes });
  if (minutes < 48 * 60) return _("{n} 小时 {m} 分", { n: Math.floor(minutes / 60), m: minutes % 60 });
  return _("{n} 天", { n: Math.floor(minutes / 1440) });
}
