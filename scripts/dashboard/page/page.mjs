// The charts of what the servers do, from a WebSocket that says it every second. It connects again by itself.

/** Samples in a chart: two minutes. */
const LENGTH = 120;

/** Milliseconds before it connects again: the first time, and at most. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 8000;

/** Without a sample for so long the connection is taken for lost, in milliseconds. */
const SILENCE = 5000;

/** What the button makes: requests at a time, and for how long in milliseconds. */
const CLIENTS = 4;
const TRAFFIC_TIME = 5000;
const REQUEST = 'x'.repeat(8 * 1024);

/** A chart's inner width and height; the page stretches them. */
const WIDTH = LENGTH - 1;
const HEIGHT = 100;

const count = (value) => value.toLocaleString('en');
const milliseconds = (value) => `${value.toLocaleString('en', { maximumFractionDigits: 1 })} ms`;
function bytes(value) {
  const units = ['B', 'kB', 'MB', 'GB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)));
  const digits = power === 0 ? 0 : 1;
  return `${(value / 1000 ** power).toLocaleString('en', { maximumFractionDigits: digits })} ${units[power]}`;
}

/** `floor`: the top of the scale at least. */
const CHARTS = [
  { title: 'Connections', floor: 4, format: count, series: [{ key: 'connections', name: 'open' }] },
  {
    title: 'Handshakes a second', floor: 4, format: count,
    series: [{ key: 'handshakes', name: 'done' }, { key: 'failures', name: 'failed' }],
  },
  {
    title: 'Bytes a second', floor: 1000, format: bytes,
    series: [{ key: 'bytesIn', name: 'received' }, { key: 'bytesOut', name: 'sent' }],
  },
  { title: 'Event-loop delay', floor: 5, format: milliseconds, series: [{ key: 'delay', name: 'at most' }] },
];

const VERSIONS = ['TLSv1.3', 'TLSv1.2', 'TLSv1.1', 'TLSv1'];

let samples = [];

// ---- elements

function make(name, attributes = {}, ...children) {
  const isSvg = ['svg', 'path', 'line', 'rect'].includes(name);
  const element = isSvg ? document.createElementNS('http://www.w3.org/2000/svg', name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** One value beside a chart's title, with the colour of its line. */
function makeValue(name, index) {
  const value = make('strong');
  const item = make('li', {}, make('span', { class: `key s${index}` }), value, ` ${name}`);
  return { item, value };
}

function makeFigure(title, values, plot, isWide = false) {
  const list = make('ul', { class: 'values' }, ...values.map(({ item }) => item));
  const caption = make('figcaption', {}, make('h2', {}, title), list);
  return make('figure', isWide ? { class: 'wide' } : {}, caption, plot);
}

/** The next of 1, 2, 5, 10, 20, ... */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
}

function makeChart({ title, floor, format, series }) {
  const values = series.map(({ name }, index) => makeValue(name, index));
  const lines = series.map((_, index) => make('path', { class: `line s${index}` }));
  const areas = series.map((_, index) => make('path', { class: `area s${index}` }));
  const grid = [0, 0.5, 1].map((share) => make('line', {
    class: 'grid', x1: 0, x2: WIDTH, y1: share * HEIGHT, y2: share * HEIGHT,
  }));
  const svg = make('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' },
    ...grid, ...areas, ...lines);
  const top = make('span', { class: 'top soft' });
  const span = make('div', { class: 'span soft', 'aria-hidden': 'true' }, make('span', {}, '2 minutes ago'), make('span', {}, 'now'));
  const figure = makeFigure(title, values, make('div', { class: 'plot' }, svg, top, span));

  function draw() {
    const all = series.map(({ key }) => samples.map((sample) => sample[key]));
    const scale = roundUp(Math.max(floor, ...all.flat()));
    const first = LENGTH - samples.length;
    top.textContent = format(scale);
    for (const [index, points] of all.entries()) {
      const y = (value) => ((1 - value / scale) * HEIGHT).toFixed(1);
      const d = points.map((value, at) => `${at === 0 ? 'M' : 'L'}${first + at},${y(value)}`).join('');
      lines[index].setAttribute('d', d);
      areas[index].setAttribute('d', d && `${d}V${HEIGHT}H${first}Z`);
      values[index].value.textContent = format(points.at(-1));
    }
    const words = series.map(({ name }, index) =>
      `${name} ${format(all[index].at(-1))}, greatest ${format(Math.max(...all[index]))}`);
    svg.setAttribute('aria-label', `${title} of the last ${samples.length} seconds: ${words.join('; ')}`);
  }
  return { figure, draw };
}

/** Shares of the TLS versions, of all handshakes since the servers began. */
function makeVersions() {
  const values = VERSIONS.map((name, index) => makeValue(name, index));
  const parts = VERSIONS.map((_, index) => make('rect', { class: `part s${index}`, y: 0, height: 1 }));
  const svg = make('svg', { viewBox: '0 0 100 1', preserveAspectRatio: 'none', role: 'img' }, ...parts);
  const figure = makeFigure('Negotiated versions', values, make('div', { class: 'plot bar' }, svg), true);

  function draw() {
    const { versions } = samples.at(-1);
    const total = Math.max(1, Object.values(versions).reduce((sum, value) => sum + value, 0));
    let x = 0;
    for (const [index, name] of VERSIONS.entries()) {
      const width = (versions[name] ?? 0) / total * 100;
      parts[index].setAttribute('x', x);
      parts[index].setAttribute('width', width);
      x += width;
      values[index].value.textContent = count(versions[name] ?? 0);
      // Versions that nobody has negotiated and few have are left out.
      values[index].item.hidden = index > 1 && !versions[name];
    }
    const words = VERSIONS.filter((name) => versions[name]).map((name) => `${name} ${versions[name]}`);
    svg.setAttribute('aria-label', `Handshakes by version: ${words.join(', ') || 'none yet'}`);
  }
  return { figure, draw };
}

function drawTable() {
  const cells = ({ time, connections, handshakes, failures, bytesIn, bytesOut, delay }) => [
    new Date(time).toLocaleTimeString('en', { hour12: false }),
    count(connections), count(handshakes), count(failures), bytes(bytesIn), bytes(bytesOut), milliseconds(delay),
  ];
  document.getElementById('rows').replaceChildren(...samples.slice(-10).reverse().map((sample) =>
    make('tr', {}, ...cells(sample).map((cell) => make('td', {}, cell)))));
}

const charts = [...CHARTS.map(makeChart), makeVersions()];
document.getElementById('charts').append(...charts.map(({ figure }) => figure));

function draw() {
  if (samples.length === 0) return;
  for (const chart of charts) chart.draw();
  if (document.querySelector('details').open) drawTable();
}

document.querySelector('details').addEventListener('toggle', draw);

// ---- the feed

const feed = `${location.hostname}:${document.querySelector('meta[name=feed]').content}`;
const state = document.getElementById('state');
const hint = document.getElementById('hint');
document.getElementById('trust').href = `https://${feed}/`;

let wait = FIRST_WAIT;

function show(name, text) {
  state.dataset.state = name;
  if (state.textContent !== text) state.textContent = text;
}

function connect() {
  const socket = new WebSocket(`wss://${feed}/`);
  let wasOpen = false;
  let silence;
  const listen = () => {
    clearTimeout(silence);
    silence = setTimeout(() => socket.close(), SILENCE);
  };

  socket.addEventListener('message', ({ data }) => {
    // The first message has all there is; what was drawn may be older, or of servers that are gone.
    if (!wasOpen) samples = [];
    wasOpen = true;
    wait = FIRST_WAIT;
    hint.hidden = true;
    show('live', 'Live');
    listen();
    samples = [...samples, ...JSON.parse(data)].slice(-LENGTH);
    draw();
  });
  socket.addEventListener('close', () => {
    clearTimeout(silence);
    show('lost', 'Connecting again');
    hint.hidden = wasOpen || samples.length > 0;
    setTimeout(connect, wait);
    wait = Math.min(LONGEST_WAIT, wait * 2);
  });
  listen();
}

connect();

// ---- traffic

const button = document.getElementById('traffic');

async function makeTraffic() {
  const end = performance.now() + TRAFFIC_TIME;
  while (performance.now() < end) {
    const response = await fetch('/traffic', { method: 'POST', body: REQUEST });
    await response.arrayBuffer();
  }
}

button.addEventListener('click', async () => {
  button.disabled = true;
  await Promise.allSettled(Array.from({ length: CLIENTS }, makeTraffic));
  button.disabled = false;
});
