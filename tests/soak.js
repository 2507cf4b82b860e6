// Runs in the page before the wall does: a stream and a server that live through 30 days in minutes.
(() => {
  const DAY = 86_400_000;
  // of so many refreshes the last few have a call, each time at the next of so many places
  const BETWEEN = 300;
  const PLACES = 2;
  // `turn` is by what all that is shown changes from refresh to refresh; `position` counts what was told
  const soak = { now: Date.now(), turn: 0, refreshes: 0, position: 0, answer: null, statistics: null, source: null, waiting: [], asked: 0, tiles: 0, sent: null };
  window.soak = soak;

  window.EventSource = class extends EventTarget {
    constructor() {
      super();
      soak.source = this;
      setTimeout(() => tell("heartbeat", { now: new Date(soak.now).toISOString() }));
    }
    close() {}
  };

  const fetch = window.fetch.bind(window);
  async function realFetch(...question) {
    soak.asked += 1;
    try {
      const response = await fetch(...question);
      if (String(question[0]).includes("/tiles/")) soak.tiles += 1;
      return response;
    } finally {
      soak.asked -= 1;
    }
  }

  const STATES = ["recorded", "reported", "accepted", "dispatched", "taken_up", "completed"];

  function incidents() {
    const { features } = soak.answer.incidents;
    const n = soak.turn;
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

  function calls() {
    if (soak.turn % BETWEEN < BETWEEN - 4) return [];
    const { features } = soak.answer.incidents;
    const place = Math.floor(soak.turn / BETWEEN) % PLACES;
    const { geometry, properties } = features[Math.floor((place * features.length) / PLACES)];
    const [lon, lat] = geometry.coordinates;
    const { grid_code, grid_name } = properties;
    const raised_at = new Date(soak.now - 2_000).toISOString();
    return [{ number: `C-${place}`, lon, lat, grid_code, grid_name, township_code: null, raised_at, ended_at: null }];
  }

  function state() {
    const features = incidents();
    const start = new Date(soak.now - (soak.now % DAY)).toISOString();
    return {
      ...soak.answer,
      generated_at: new Date(soak.now).toISOString(),
      position: soak.position,
      figures: { open: features.length, urgent: 3, overdue: soak.turn % 9, today: soak.turn % 100, done_today: 7 },
      incidents: { type: "FeatureCollection", features },
      grids: soak.answer.grids.map((grid, k) => ({ ...grid, open: (soak.turn + k) % 6 })),
      tour: { ...soak.answer.tour, start },
      alarms: calls(),
      sent_scene: soak.sent,
    };
  }

  function counts() {
    const n = soak.turn;
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
    const { pathname, search } = new URL(url, location.href);
    const answer = (/** @type {unknown} */ body) => new Response(JSON.stringify(body), { headers: { "Content-Type": "application/json" } });
    if (pathname === "/api/wall/city") {
      if (!soak.answer) {
        soak.answer = await (await realFetch(url, options)).json();
        soak.position = soak.answer.position;
      }
      return answer(state());
    }
    if (pathname === "/api/wall/city/statistics") {
      soak.statistics ??= await (await realFetch(url, options)).json();
      setTimeout(() => soak.waiting.splice(0).forEach((go) => go()));
      return answer(counts());
    }
    if (pathname === "/api/wall/city/ranking" || pathname === "/api/wall/city/replay") {
      const kept = (soak.kept ??= new Map());
      const key = pathname + search;
      if (!kept.has(key)) kept.set(key, await (await realFetch(url, options)).json());
      return answer(kept.get(key));
    }
    return realFetch(url, options);
  };

  const tell = (kind, data, id = "") =>
    soak.source.dispatchEvent(Object.assign(new MessageEvent(kind, { data: JSON.stringify(data), lastEventId: id })));

  // One refresh: an incident comes in, and the wall takes its whole state anew and shows it.
  async function refresh() {
    soak.refreshes += 1;
    tell("heartbeat", { now: new Date(soak.now).toISOString() });
    const [lon, lat] = soak.answer.incidents.features[0].geometry.coordinates;
    const at = new Date(soak.now).toISOString();
    const { grid_code, grid_name, township_code } = soak.answer.incidents.features[0].properties;
    const told = { number: `E-${soak.refreshes}`, lon, lat, grid_code, grid_name, township_code, state: "recorded", is_urgent: false };
    tell("incident", { ...told, discovered_at: at, at }, String((soak.position += 1)));
    const taken = new Promise((go) => soak.waiting.push(go));
    tell("tour", { wall_id: "city", at }, String((soak.position += 1)));
    await taken;
  }

  const frame = () => new Promise((go) => requestAnimationFrame(go));
  const pass = (/** @type {number} */ ms) => new Promise((go) => setTimeout(go, ms));

  // Five seconds pass between two refreshes.
  soak.run = async (times) => {
    for (let k = 0; k < times; k += 1) {
      soak.turn += 1;
      soak.now += 5_000;
      await refresh();
      if (k % 20 === 0) await frame();
    }
    return soak.refreshes;
  };

  // Until the map has asked for all that it wants to show.
  async function quiet() {
    for (let still = 0; still < 4; still = soak.asked > 0 ? 0 : still + 1) await pass(100);
  }

  // A call at every place, again and again until the map asks for no tile any more: it keeps the contents of those that it
  // has shown, and in a run without pauses they would come one by one over thousands of refreshes.
  soak.visit = async () => {
    const { turn } = soak;
    let before = -1;
    while (soak.tiles > before) {
      before = soak.tiles;
      for (let place = 0; place < PLACES; place += 1) {
        soak.turn = (place + 1) * BETWEEN - 1;
        soak.now += 5_000;
        await refresh();
        await quiet();
      }
    }
    soak.turn = turn;
    return soak.tiles;
  };

  // Bring the wall to one and the same moment of the day, with the same data and after the same scene, and let what passes pass.
  soak.rest = async () => {
    const { turn } = soak;
    soak.turn = 0;
    soak.now += DAY - (soak.now % DAY) + 5_000;
    // the cameras of the part of the map that was shown last stay in the map
    const { key } = soak.answer.tour.scenes.find(({ cameras }) => cameras);
    soak.sent = { scene: key, at: new Date(soak.now).toISOString(), seconds: 60, town: null, focus: null };
    await refresh();
    await quiet();
    soak.sent = null;
    for (let k = 0; k < 3; k += 1) {
      await refresh();
      await frame();
      await frame();
    }
    soak.turn = turn;
    await pass(2_200);
  };
})();
