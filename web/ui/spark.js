/** A month in thirty small bars: what came, and on the same days what was settled. No axis; the figures beside it say how much. */

const SVG = "http://www.w3.org/2000/svg";
const [STEP, WIDTH, HEIGHT] = [10, 8, 40];

/**
 * @param {{opened: number, closed: number}[]} days oldest first
 * @param {string} words what it says, for those who do not see it
 */
export function spark(days, words) {
  const most = Math.max(1, ...days.flatMap(({ opened, closed }) => [opened, closed]));
  const svg = shape("svg", { class: "spark", viewBox: `0 0 ${days.length * STEP} ${HEIGHT + 1}`, preserveAspectRatio: "none", role: "img" });
  svg.setAttribute("aria-label", words);
  days.forEach(({ opened, closed }, place) => {
    const high = (opened / most) * HEIGHT;
    svg.append(shape("rect", { class: "spark-opened", x: place * STEP, y: HEIGHT - high, width: WIDTH, height: high }));
    if (closed === 0) return;
    // a line across the day's place, so that it is told from the bar by its shape too
    const y = HEIGHT - (closed / most) * HEIGHT;
    svg.append(shape("rect", { class: "spark-closed", x: place * STEP - 1, y: y - 1, width: WIDTH + 2, height: 3 }));
  });
  svg.append(shape("rect", { class: "spark-ground", x: 0, y: HEIGHT, width: days.length * STEP, height: 1 }));
  return svg;
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 */
function shape(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}
