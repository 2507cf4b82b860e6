// Runs in the page before the wall does: a stream and a server that live through 30 days in minutes.
(() => {
  const realFetch = window.fetch.bind(window);
  const soak = { now: Date.now(), refreshes: 0, counted: 0, answer: null, statistics: null, source: null, waiting: [] };
  window.soak = soak;

  window.EventSource = class extends EventTarget {
    constructor() {
      super();
      soak.source = this;
      setTimeout(() => this.dispatchEvent(new Event("open")));
    }
    close() {}
  };

  const STATES = ["recorded", "reported", "accepted", "dispatched", "taken_up", "completed"];

  function incidents() {
    const { features } = soak.answer.incidents;
    const n = soak.refreshes;
    const shown = 30 + (n % 40);
    return Array.from({ length: shown }, (_unused, k) => {
      const base = features[(n + k) % features.length];
      return {
        ...base,
        properties: {
          ...base.properties,
          number: `S-${n + k}`,
          state: STATES[(n + k) % STATES.length],
          is_urgent: (n + k) % 11 === 0,
          discovered_at: new Date(soak.now - k * 600_000).toISOString(),
          due_at: new Date(soak.now + ((k % 5) - 2) * 3_600_000).toISOString(),
        },
      };
    });
  }

  function state() {
    const features = incidents();
    const start = new Date(soak.now - (soak.now % 86_400_000)).toISOString();
    const calls = soak.refreshes % 300 < 4;
    const raised_at = new Date(soak.now - 2_000).toISOString();
    const [lon, lat] = features[0].geometry.coordinates;
    const { grid_code, grid_name } = features[0].properties;
    return {
      ...soak.answer,
      generated_at: new Date(soak.now).toISOString(),
      figures: { open: features.length, urgent: 3, overdue: soak.refreshes % 9, today: soak.refreshes % 100, done_today: 7 },
      incidents: { type: "FeatureCollection", features },
      grids: soak.answer.grids.map((grid, k) => ({ ...grid, open: (soak.refreshes + k) % 6 })),
      tour: { ...soak.answer.tour, start },
      alarms: calls ? [{ number: "S-0", lon, lat, grid_code, grid_name, township_code: null, raised_at, ended_at: null }] : [],
      sent_scene: null,
    };
  }

  function counts() {
    const n = soak.refreshes;
    const turned = (/** @type {number} */ number) => (number + n) % 37;
    return {
      ...soak.statistics,
      generated_at: new Date(soak.now).toISOString(),
      hours: soak.statistics.hours.map((number, k) => turned(number + k)),
      days: soak.statistics.days.map((day) => ({ ...day, reported: turned(day.reported), done: turned(day.done) })),
      grids: soak.statistics.grids.map((grid, k) => ({ ...grid, open: turned(k) % 5, completed: turned(k) % 7, reported: turned(k) })),
    };
  }

  window.fetch = async (url, options) => {
    const { pathname } = new URL(url, location.href);
    const answer = (/** @type {unknown} */ body) => new Response(JSON.stringify(body), { headers: { "Content-Type": "application/json" } });
    if (pathname === "/api/wall/city") {
      soak.answer ??= await (await realFetch(url, options)).json();
      return answer(state());
    }
    if (pathname === "/api/wall/city/statistics") {
      soak.statistics ??= await (await realFetch(url, options)).json();
      soak.counted += 1;
      setTimeout(() => soak.waiting.splice(0).forEach((go) => go()));
      return answer(counts());
    }
    return realFetch(url, options);
  };

  const tell = (kind, data, id = "") =>
    soak.source.dispatchEvent(Object.assign(new MessageEvent(kind, { data: JSON.stringify(data), lastEventId: id })));

  // One refresh: five seconds pass, an incident comes in, and the wall takes its whole state anew.
  soak.run = async (times) => {
    for (let k = 0; k < times; k += 1) {
      soak.refreshes += 1;
      soak.now += 5_000;
      tell("heartbeat", { now: new Date(soak.now).toISOString(), position: soak.refreshes });
      const [lon, lat] = soak.answer.incidents.features[0].geometry.coordinates;
      const at = new Date(soak.now).toISOString();
      const { grid_code, grid_name, township_code } = soak.answer.incidents.features[0].properties;
      const told = { number: `E-${soak.refreshes}`, lon, lat, grid_code, grid_name, township_code, state: "recorded", is_urgent: false };
      tell("incident", { ...told, discovered_at: at, at }, String(soak.answer.position + 2 * soak.refreshes));
      const taken = new Promise((go) => soak.waiting.push(go));
      tell("tour", { wall_id: "city", at }, String(soak.answer.position + 2 * soak.refreshes + 1));
      await taken;
      if (k % 20 === 0) await new Promise((go) => requestAnimationFrame(go));
    }
    return soak.refreshes;
  };
})();
