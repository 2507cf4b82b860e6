/** What somebody has typed, kept on this device until it has arrived at the server. */

export class Draft {
  /** @param {string} name */
  constructor(name) {
    this.name = "draft-" + name;
    /** @type {Record<string, any>} */
    this.content = read(this.name);
  }

  /** @param {Record<string, unknown>} changes */
  keep(changes) {
    Object.assign(this.content, changes);
    write(this.name, this.content);
  }

  /** It has arrived. */
  drop() {
    this.content = {};
    write(this.name, null);
  }
}

/** 128 random bits; `crypto.randomUUID` is missing on plain http, where many of these networks still are. */
export function randomKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} name */
function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "{}") ?? {};
  } catch {
    return {}; // private mode, or not ours: a draft is a convenience
  }
}

/**
 * @param {string} name
 * @param {unknown} content
 */
function write(name, content) {
  try {
    if (content === null) localStorage.removeItem(name);
    else localStorage.setItem(name, JSON.stringify(content));
  } catch {
    // storage full or forbidden: the form itself still holds everything
  }
}
