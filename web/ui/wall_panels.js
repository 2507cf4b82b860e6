/** The panels of a wall by their names: each is made once, answers one question, and is changed in place. */

import {
  agesPanel,
  byHourPanel,
  cameraTownsPanel,
  duePanel,
  hoursPanel,
  onTimePanel,
  statesPanel,
  townsPanel,
  townsReportedPanel,
  townsTodayPanel,
  weekPanel,
} from "./wall_chart_panels.js";
import { cameraOnlinePanel, monthPanel, openPanel, overduePanel, todayPanel, urgentPanel, weeksPanel } from "./wall_figure_panels.js";
import { camerasPanel, latestPanel, mostPanel, overdueListPanel, placesPanel } from "./wall_list_panels.js";
import { replayCoursePanel, replayPanel } from "./wall_replay_panels.js";

/** @typedef {import("./wall_frame.js").Panel} Panel */

/** @type {Record<string, () => Panel>} */
const MAKERS = {
  open: openPanel,
  urgent: urgentPanel,
  today: todayPanel,
  due: duePanel,
  ages: agesPanel,
  states: statesPanel,
  hours: hoursPanel,
  week: weekPanel,
  weeks: weeksPanel,
  month: monthPanel,
  by_hour: byHourPanel,
  towns: townsPanel,
  towns_today: townsTodayPanel,
  towns_reported: townsReportedPanel,
  latest: latestPanel,
  busiest: () => mostPanel("open"),
  reported: () => mostPanel("reported"),
  completed: () => placesPanel("month"),
  ranking_week: () => placesPanel("week"),
  ranking_year: () => placesPanel("year"),
  overdue: overduePanel,
  overdue_list: overdueListPanel,
  on_time: onTimePanel,
  camera_online: cameraOnlinePanel,
  cameras: () => camerasPanel("status"),
  camera_sites: () => camerasPanel("site_class"),
  camera_towns: cameraTownsPanel,
  replay: replayPanel,
  replay_course: replayCoursePanel,
};

export class Panels {
  constructor() {
    /** @type {Map<string, Panel>} */
    this.made = new Map();
  }

  /**
   * The panel of a name; one that this version does not know is left out.
   * @param {string} name
   * @returns {Panel | null}
   */
  get(name) {
    const make = MAKERS[name];
    if (!make) return null;
    let panel = this.made.get(name);
    if (!panel) {
      panel = make();
      this.made.set(name, panel);
    }
    return panel;
  }
}
