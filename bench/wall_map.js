async ({whole}) => {
  const { CityMap } = await import('/static/web/map/city_map.js')
  const { LayerLoader } = await import('/static/web/ui/layer_loader.js')
  // the page itself is ended: what is measured is a map of its own on it, with the page's styles
  document.body.replaceChildren()
  const box = document.createElement('div')
  box.className = 'map'
  box.style.cssText = 'position: fixed; left: 0; top: 0; width: 1920px; height: 1080px'
  document.body.append(box)
  const frame = () => new Promise(requestAnimationFrame)
  const rest = (ms) => new Promise((done) => setTimeout(done, ms))

  const { layers, bounds } = await (await fetch('/api/catalogue')).json()
  const wanted = layers.filter(({ name }) => ['area', 'grid'].includes(name)).map((layer) => (whole ? { ...layer, tiles: null } : layer))
  const { keys, boxes } = await (await fetch('/api/layers/grid/extents')).json()
  const city = new CityMap(box, { buttons: false })
  city.zoomFreely()
  city.fit(bounds)
  const begun = performance.now()
  await new LayerLoader(city, wanted).load()
  await frame()
  await frame()
  const load = performance.now() - begun
  city.incidents.show(boxes.map(([west, south, east, north], n) => ({
    number: 'n' + n, lon: (west + east) / 2, lat: (south + north) / 2, state: 'accepted', is_urgent: n % 10 === 0, is_overdue: n % 7 === 0,
  })))
  await rest(1000)

  // until every tile has its new colours on the canvas
  const painted = async () => {
    const { pictures } = city.layers.get('grid')
    const isDue = () => pictures && ([...pictures.tiles.values()].some(({ coat }) => coat !== pictures.coat) || pictures.undrawn)
    while (isDue()) await rest(1)
    await frame()
    await frame()
  }
  const recolours = []
  for (let round = 0; round < 7; round += 1) {
    const tokens = new Map(keys.map((key, n) => [key, '--sequential-' + (1 + ((n + round) % 7))]))
    const from = performance.now()
    city.colourBy('grid', tokens)
    await painted()
    recolours.push(performance.now() - from)
  }
  recolours.sort((a, b) => a - b)

  let times = []
  let isOn = false
  let last = 0
  const tick = (now) => {
    times.push(now - last)
    last = now
    if (isOn) requestAnimationFrame(tick)
  }
  window.bench = {
    async begin() {
      await rest(1000)
      times = []
      isOn = true
      await frame()
      last = performance.now()
      requestAnimationFrame(tick)
    },
    end() {
      isOn = false
      const sorted = times.slice(1).sort((a, b) => a - b)
      const sum = sorted.reduce((all, one) => all + one, 0)
      const at = (share) => sorted[Math.floor(sorted.length * share)]
      return { frames: sorted.length, fps: (1000 * sorted.length) / sum, p50: at(0.5), p95: at(0.95), longest: sorted.at(-1) }
    },
  }
  await window.bench.begin()
  for (const step of [[300, 0], [-300, 100], [0, -200], [200, 100]]) {
    await new Promise((done) => {
      city.map.once('moveend', done)
      city.map.panBy(step, { duration: 0.8, easeLinearity: 0.5 })
    })
  }
  const pan = window.bench.end()
  return { load, recolour: recolours[3], pan }
}
