/**
 * Reports on their way: what becomes of one with each answer. Nothing here knows of storage, network or clock.
 *
 * waiting → sending → sent | refused; a lost connection leads back to waiting, with a longer rest each time.
 */

/** @typedef {"waiting" | "sending" | "sent" | "refused"} Standing */

/**
 * @typedef {object} Report a report as it is kept on the phone
 * @property {string} id also its Idempotency-Key: however often it is sent, it is recorded once
 * @property {string} account whose it is
 * @property {Record<string, any>} body what is sent, word for word the same each time
 * @property {number} photos how many belong to it
 * @property {boolean} keepPlace whether the photos may say where they were taken
 * @property {Standing} standing
 * @property {number} madeAt ms
 * @property {number} attempts without success since it was made or since the network came back
 * @property {number} nextAt ms; not before
 * @property {({id: number, number: string} & Record<string, any>) | null} incident what it became, as the server answered
 * @property {number} photosSent the first so many have arrived
 * @property {string[]} photoProblems why single photos were not taken
 * @property {{sentence: string, field: string | null} | null} problem why it was refused
 */

const FIRST_REST_MS = 4_000;
const LONGEST_REST_MS = 5 * 60_000;
/** Sent reports stay on the list for so long, to look their numbers up. */
export const KEEP_SENT_MS = 3 * 24 * 3_600_000;

/**
 * A report that has just been made.
 * @param {{id: string, account: string, body: Record<string, any>, photos: number, keepPlace: boolean, now: number}} made
 * @returns {Report}
 */
export function newReport({ id, account, body, photos, keepPlace, now }) {
  return {
    id,
    account,
    body,
    photos,
    keepPlace,
    standing: "waiting",
    madeAt: now,
    attempts: 0,
    nextAt: 0,
    incident: null,
    photosSent: 0,
    photoProblems: [],
    problem: null,
  };
}

/** @param {Report} report @returns {Report} */
export function sending(report) {
  return { ...report, standing: "sending", problem: null };
}

/**
 * The report itself has arrived; its photos follow.
 * @param {Report} report
 * @param {{id: number, number: string} & Record<string, any>} incident
 * @returns {Report}
 */
export function recorded(report, incident) {
  return { ...report, incident };
}

/**
 * One photo more is dealt with: taken, or not taken for a reason.
 * @param {Report} report
 * @param {string | null} problem
 * @returns {Report}
 */
export function photoDone(report, problem) {
  const photoProblems = problem === null ? report.photoProblems : [...report.photoProblems, problem];
  return { ...report, photosSent: report.photosSent + 1, photoProblems };
}

/** @param {Report} report @returns {Report} */
export function sent(report) {
  return { ...report, standing: "sent" };
}

/**
 * No answer came, or none that decides anything.
 * @param {Report} report
 * @param {number} now ms
 * @param {number} chance 0…1, so that a thousand phones do not come back in the same second
 * @returns {Report}
 */
export function lost(report, now, chance) {
  const rest = Math.min(FIRST_REST_MS * 2 ** report.attempts, LONGEST_REST_MS) * (0.5 + chance / 2);
  return { ...report, standing: "waiting", attempts: report.attempts + 1, nextAt: now + rest };
}

/**
 * Put back without blame: the server wants a sign-in first, or the page was closed while sending.
 * @param {Report} report
 * @returns {Report}
 */
export function putBack(report) {
  return { ...report, standing: "waiting" };
}

/**
 * The network is back: no reason to rest any longer.
 * @param {Report} report
 * @returns {Report}
 */
export function rested(report) {
  return { ...report, attempts: 0, nextAt: 0 };
}

/**
 * The server has looked at it and will not have it.
 * @param {Report} report
 * @param {string} sentence
 * @param {string | null} field
 * @returns {Report}
 */
export function refused(report, sentence, field) {
  return { ...report, standing: "refused", problem: { sentence, field } };
}

/**
 * What an answer's status means: whether the matter is decided, and how.
 * @param {number} status 0 when no answer came
 * @returns {"lost" | "sign-in" | "refused"}
 */
export function meaning(status) {
  if (status === 401) return "sign-in";
  // a server that is busy, being restarted or behind a broken proxy will answer otherwise later; 400 is a token of a
  // session that ended between two requests, and what is sent from here is never malformed
  if (status === 0 || status === 400 || status === 408 || status === 425 || status === 429 || status >= 500) return "lost";
  return "refused";
}

/**
 * Whose turn it is, the oldest first.
 * @param {Report[]} reports
 * @param {string} account
 * @param {number} now ms
 */
export function due(reports, account, now) {
  return reports
    .filter((one) => one.account === account && one.standing === "waiting" && one.nextAt <= now)
    .sort((a, b) => a.madeAt - b.madeAt);
}

/**
 * When to look again (ms); null when nothing waits.
 * @param {Report[]} reports
 * @param {string} account
 */
export function nextDue(reports, account) {
  const times = reports.filter((one) => one.account === account && one.standing === "waiting").map((one) => one.nextAt);
  return times.length ? Math.min(...times) : null;
}
