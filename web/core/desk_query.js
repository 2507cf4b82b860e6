/** What the desk asks for, as its address carries it: a link shows somebody else the same list. */

/**
 * @typedef {object} DeskQuery
 * @property {string} state "" for the open list, "all", "closed", or states with commas between
 * @property {string} unit
 * @property {string} grid
 * @property {boolean} urgent
 * @property {boolean} overdue
 * @property {boolean} due_soon
 * @property {boolean} supervised
 * @property {string} q
 * @property {string} from first day of discovery, such as 2024-05-31
 * @property {string} until last day of discovery
 * @property {string} bbox west,south,east,north, when the list follows the map
 * @property {"newest" | "due"} order
 */

export const FLAGS = /** @type {const} */ (["urgent", "overdue", "due_soon", "supervised"]);
const WORDS = /** @type {const} */ (["state", "unit", "grid", "q", "from", "until", "bbox"]);

/**
 * @param {URLSearchParams} address
 * @returns {DeskQuery}
 */
export function fromAddress(address) {
  /** @type {any} */
  const query = { order: address.get("order") === "due" ? "due" : "newest" };
  for (const name of WORDS) query[name] = (address.get(name) ?? "").trim();
  for (const name of FLAGS) query[name] = address.get(name) === "yes";
  return query;
}

/**
 * Only what filters; the empty question has an empty address.
 * @param {DeskQuery} query
 */
export function toAddress(query) {
  const address = new URLSearchParams();
  for (const name of WORDS) if (query[name]) address.set(name, query[name]);
  for (const name of FLAGS) if (query[name]) address.set(name, "yes");
  if (query.order === "due") address.set("order", "due");
  return address;
}

/**
 * The parameters of the server's answer to it.
 * @param {DeskQuery} query
 */
export function toRequest(query) {
  const asked = toAddress(query);
  asked.delete("state");
  if (query.state === "") asked.set("open", "yes");
  else if (query.state === "closed") asked.set("open", "no");
  else if (query.state !== "all") asked.set("state", query.state);
  return asked;
}

/**
 * Whether anything narrows the open list.
 * @param {DeskQuery} query
 */
export function isNarrowed(query) {
  const { order: _order, ...filters } = query;
  return Object.values(filters).some(Boolean);
}

/**
 * Which of two incidents stands first, as the server orders them; negative when `a` does.
 * @param {{id: number, due_at: string | null}} a
 * @param {{id: number, due_at: string | null}} b
 * @param {"newest" | "due"} order
 */
export function before(a, b, order) {
  if (order === "newest") return b.id - a.id;
  const due = (/** @type {{due_at: string | null}} */ { due_at }) => (due_at ? Date.parse(due_at) : Infinity);
  const [first, second] = [due(a), due(b)];
  return first === second ? a.id - b.id : first - second;
}
