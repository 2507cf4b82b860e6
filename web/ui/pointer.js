/** The pointer of a screen that nobody touches: it would lie on the map for months. */

const REST_MS = 5_000;

/**
 * Hide the pointer while it is not moved: `body` is `is-unattended` then.
 * @param {EventTarget} moved where movements are heard
 * @param {Element} body
 * @param {number} [rest] without a movement, ms
 */
export function hideAtRest(moved, body, rest = REST_MS) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  const begin = () => {
    clearTimeout(waiting);
    body.classList.remove("is-unattended");
    waiting = setTimeout(() => body.classList.add("is-unattended"), rest);
  };
  moved.addEventListener("pointermove", begin);
  moved.addEventListener("pointerdown", begin);
  begin();
}
