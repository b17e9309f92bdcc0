// The page: a client of chorus.v1 (docs/protocol.md). `Conversation` decides: a state machine that knows the room's
// order, one's name, and what the room has not been heard to say. `Page` shows. `stay` connects, time and again.

const historyStep = 100; // events of the past that are asked for at a time
const mostLines = 1000; // that are kept while one reads the newest; older ones come back when one scrolls up

const element = id => document.getElementById(id);
const random = () => Math.random().toString(36).slice(2, 12);
const plural = (count, what) => `${count.toLocaleString()} ${what}${count === 1 ? '' : 's'}`;

/// What one says and hears in a room, across any number of connections. `send`, which its connection sets, takes a
/// command; `show` is a `Page`.
class Conversation {
  present = false; // what happened before our joining has come
  settled = false; // nothing that was sent over an old connection can still arrive: lines may be sent
  names; // who is here; null where nobody is told, undefined while unknown
  size = 0; // how many are here
  asks = []; // replays: the first is under way, the others wait
  past = []; // what has come of it

  constructor(room, kept, show) {
    Object.assign(this, { wanted: '', prefix: random(), outbox: [] }, kept, { room, show });
  }

  /// What outlives a reload. Up to `position` everything was told, or is named by a gap; `ghost` is the name of an old
  /// connection that may still be a member.
  keep() {
    const { room, wanted, prefix, epoch, position, outbox } = this;
    return { room, wanted, prefix, epoch, position, outbox, ghost: this.settled ? this.name : this.ghost };
  }

  query() {
    const asked = new URLSearchParams();
    if (this.wanted) asked.set('name', this.wanted);
    if (this.epoch) asked.set('since', `${this.epoch}:${this.position}`);
    return asked;
  }

  received(data) {
    const event = JSON.parse(data);
    if (event.seq && event.type !== 'welcome') {
      // Only a replay brings what is not after all before.
      if (event.seq <= this.position) return this.recall(event);
      this.position = event.seq;
    }
    this[`on_${event.type}`]?.(event);
  }

  lost() {
    if (this.settled) this.ghost = this.name;
    if (this.asks.some(ask => ask.gap)) this.doubt();
    this.present = this.settled = false;
    this.asks = [];
    this.past = [];
  }

  // What comes.

  on_welcome(event) {
    const same = event.epoch === this.epoch;
    if (!same) {
      if (this.epoch) this.show.notice('The room has begun anew. What it said meanwhile is lost.');
      this.show.lines.begin();
      this.ghost = undefined;
    }
    if (!same || this.oldest === undefined) this.oldest = event.seq + 1;
    if (!this.epoch) this.wanted = ''; // it may be another's
    this.epoch = event.epoch;
    this.position = event.seq;
    this.called(event.name);
    this.names = undefined;
    this.count(event.users);
    // Event 1 there always is, and the answer comes after the past.
    this.ask({ from: 1, to: 1 });
    this.askUsers();
    if (!same || !this.outbox.some(line => line.state === 'sent')) this.settle();
  }

  on_message(event) {
    this.show.add(this.marked(event));
  }

  on_joined(event) {
    this.names?.add(event.name);
    this.count(event.users);
    this.show.add(event);
  }

  on_left(event) {
    this.names?.delete(event.name);
    if (this.ghost === event.name) this.ghost = undefined;
    this.count(event.users);
    this.show.add(event);
    this.takeBack(event.name);
    this.settleIfCertain();
  }

  on_renamed(event) {
    if (this.names?.delete(event.name)) this.names.add(event.to);
    if (this.ghost === event.name) this.ghost = event.to;
    if (this.present && event.name === this.name) {
      if (!this.takingBack) this.wanted = '';
      this.called(event.to);
    } else {
      this.takeBack(event.name);
    }
    this.count(event.users);
    this.show.add(event);
  }

  on_gap({ from, to }) {
    const ask = this.asks[0];
    if (to <= this.position) {
      // The room does not keep it any more, nor what was before.
      if (ask?.gap) this.doubt();
      else if (ask?.first === from) ask.first = from = 1;
      this.past.push({ type: 'lost', from, to });
      return;
    }
    const gap = { type: 'gap', from: Math.max(from, this.position + 1), to };
    this.position = to;
    this.show.add(gap);
    // The echo of a line may be in it.
    if (this.outbox.some(line => line.state === 'sent')) this.fill(gap);
  }

  on_replayed({ to }) {
    const ask = this.asks[0];
    if (!ask) return;
    if (!ask.show) this.present = true;
    else this.show.insert(this.past);
    this.past = [];
    if (to < ask.to) {
      ask.from = to + 1;
      return this.askNext();
    }
    if (ask.gap) this.show.lines.remove(ask.gap);
    else if (ask.show) this.oldest = ask.first;
    this.answered();
    this.show.older();
  }

  on_users(event) {
    this.count(event.users);
    if (!this.present) return; // one of the past
    if (event.names) this.names = new Set(event.names);
    else if (this.awaitsUsers || this.names) this.names = null;
    else this.askUsers(); // the room has become small
    this.awaitsUsers = false;
    if (this.names) {
      if (!this.names.has(this.ghost)) this.ghost = undefined;
      if (!this.names.has(this.wanted)) this.takeBack(this.wanted);
    }
    this.show.people();
    this.settleIfCertain();
  }

  on_error(event) {
    if (event.id === 'replay') {
      this.past = [];
      return this.answered();
    }
    if (event.id === 'name') return this.show.problem('rename', event.detail);
    const line = this.take(event.id);
    this.show.notice(line ? `${event.detail} Not sent: ${line.text}` : event.detail);
  }

  // What one does.

  say(text) {
    this.outbox.push({ id: `${this.prefix}-${random()}`, text, state: 'waiting' });
    this.flush();
  }

  rename(name) {
    this.takingBack = false;
    this.show.problem('rename', this.send({ type: 'rename', name, id: 'name' }) ? '' : 'Not connected.');
  }

  older() {
    if (!this.present || this.oldest <= 1 || this.asks.length) return;
    const first = Math.max(1, this.oldest - historyStep);
    this.ask({ first, from: first, to: this.oldest - 1, show: true });
  }

  fill(gap) {
    const online = this.present || this.asks.length;
    if (online && !this.asks.some(ask => ask.gap === gap)) this.ask({ ...gap, gap, show: true });
  }

  // How.

  ask(what) {
    this.asks.push(what);
    if (this.asks.length === 1) this.askNext();
  }

  askNext() {
    const { from, to } = this.asks[0];
    this.send({ type: 'replay', from, to, id: 'replay' });
  }

  answered() {
    this.asks.shift();
    if (this.asks.length) this.askNext();
    this.settleIfCertain();
  }

  recall(event) {
    if (this.asks[0]?.show) this.past.push(event.type === 'message' ? this.marked(event) : event);
  }

  askUsers() {
    this.awaitsUsers = true;
    this.send({ type: 'users' });
  }

  /// The echo of an own line is the acknowledgement.
  marked(event) {
    this.take(event.id);
    return { ...event, own: Boolean(event.id?.startsWith(this.prefix + '-')) };
  }

  take(id) {
    const at = id ? this.outbox.findIndex(line => line.id === id) : -1;
    const [line] = at < 0 ? [] : this.outbox.splice(at, 1);
    if (line) this.show.pending();
    return line;
  }

  called(name) {
    this.name = name;
    this.wanted ||= /^user\d+$/i.test(name) ? '' : name; // was given
    this.takingBack = false;
    this.show.people();
  }

  takeBack(free) {
    if (!this.present || this.takingBack || !this.wanted || free !== this.wanted || this.name === this.wanted) return;
    this.takingBack = true;
    this.send({ type: 'rename', name: this.wanted });
  }

  count(users) {
    this.size = users;
    this.show.people();
  }

  doubt() {
    for (const line of this.outbox) if (line.state === 'sent') line.state = 'doubtful';
  }

  /// A line is sent again only when the room cannot hear it twice.
  settleIfCertain() {
    if (this.settled || !this.present || this.names === undefined || this.asks.some(ask => ask.gap)) return;
    if (this.ghost && this.ghost !== this.name && this.outbox.some(line => line.state === 'sent')) {
      if (this.names) return; // until the old connection has left
      this.doubt();
    }
    this.settle();
  }

  settle() {
    this.settled = true;
    for (const line of this.outbox) if (line.state === 'sent') line.state = 'waiting';
    this.flush();
  }

  flush() {
    for (const line of this.outbox) {
      if (!this.settled || line.state !== 'waiting') continue;
      line.state = 'sent';
      this.send({ type: 'say', text: line.text, id: line.id });
    }
    this.show.pending();
  }
}

// What is shown: whatever anyone sends is text, never markup.

function make(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/// A name keeps its direction to itself.
const named = name => make('bdi', { className: 'name', textContent: name });

function withLinks(text) {
  return text.split(/(\bhttps?:\/\/[^\s<>"]*[^\s<>".,:;!?)'\]])/i).map((part, i) =>
    i % 2 ? make('a', { href: part, rel: 'noopener noreferrer', target: '_blank', textContent: part }) : part);
}

const times = new Map(); // by the minute: to make one takes longer than all the rest

function when(at) {
  const minute = Math.floor(at / 60e3);
  if (!times.has(minute)) {
    const date = new Date(at);
    const sameDay = date.toDateString() === new Date().toDateString();
    const format = { timeStyle: 'short', ...(!sameDay && { dateStyle: 'medium' }) };
    times.set(minute, make('time', { dateTime: date.toISOString() }, date.toLocaleString(undefined, format)));
  }
  return times.get(minute).cloneNode(true);
}

const count = ({ from, to }) => plural(to - from + 1, 'event');

const render = {
  message({ from, text, at, own }) {
    const name = named(from);
    name.style.setProperty('--hue', [...from].reduce((sum, c) => (sum * 31 + c.codePointAt(0)) % 360, 0));
    return make('li', { className: own ? 'message own' : 'message' }, name, when(at),
      make('div', { className: 'text', dir: 'auto' }, ...withLinks(text)));
  },
  joined: ({ name }) => make('li', { className: 'event' }, named(name), ' joined'),
  left: ({ name }) => make('li', { className: 'event' }, named(name), ' left'),
  renamed: ({ name, to }) => make('li', { className: 'event' }, named(name), ' is ', named(to), ' now'),
  gap(event, page) {
    const button = make('button', { textContent: 'Show them', onclick: () => page.conversation.fill(event) });
    return make('li', { className: 'notice' }, count(event), ' skipped. ', button);
  },
  lost: event => make('li', { className: 'notice' }, event.from === 1
    ? 'What was before is not kept any more.' : `${count(event)} not kept any more.`),
};

/// The events of a room by their place, whatever order they come in.
class Lines {
  parent = element('lines');
  list = []; // of { place, event, li }

  /// What comes now has another order, and gaps in the old one stay.
  begin() {
    for (const { li } of this.list) li.querySelector('button')?.remove();
    this.list = [];
  }

  /// What stands for a range comes after all in it.
  insert(event, li) {
    const place = event.seq ?? event.to + 0.5;
    let at = this.list.length;
    while (at && this.list[at - 1].place > place) at--;
    if (event.seq && this.list[at - 1]?.place === place) return;
    this.parent.insertBefore(li, this.list[at]?.li ?? null);
    this.list.splice(at, 0, { place, event, li });
    this.#group(at);
    this.#group(at + 1);
  }

  remove(event) {
    const at = this.list.findIndex(line => line.event === event);
    if (at < 0) return;
    this.list.splice(at, 1)[0].li.remove();
    this.#group(at);
  }

  /// Lets the oldest go. Returns what is now the first place.
  trim(most) {
    this.list.splice(0, this.list.length - most);
    const [{ li, event }] = this.list;
    while (this.parent.firstChild !== li) this.parent.firstChild.remove();
    this.#group(0);
    return event.seq ?? event.from;
  }

  /// Who goes on speaking is named once.
  #group(at) {
    const [before, line] = [this.list[at - 1]?.event, this.list[at]];
    if (line?.event.type !== 'message') return;
    const goesOn = before?.type === 'message' && before.from === line.event.from;
    line.li.classList.toggle('again', goesOn && line.event.at - before.at < 300e3);
  }
}

class Page {
  view = element('view');
  lines = new Lines();
  following = true; // the newest line is in sight
  top = 0; // of what is in sight
  unread = 0; // since the page was seen
  below = 0; // messages that came while one read back

  constructor() {
    this.view.onscroll = () => {
      const { scrollTop, scrollHeight, clientHeight } = this.view;
      // What comes moves the end away, and only who reads moves up.
      if (scrollHeight - scrollTop - clientHeight < 40) this.following = true;
      else if (scrollTop < this.top) this.following = false;
      this.top = scrollTop;
      this.seen();
      this.older();
    };
    // Whatever moves the newest line: what comes, the window, a keyboard on the screen.
    const sizes = new ResizeObserver(() => this.following && this.toNewest());
    for (const id of ['view', 'lines', 'pending']) sizes.observe(element(id));
    element('newest').onclick = () => {
      this.toNewest();
      element('text').focus();
    };
  }

  enter(conversation) {
    this.conversation = conversation;
    this.lines.begin();
    this.lines.parent.replaceChildren();
    element('heard').replaceChildren();
    element('room').textContent = `#${conversation.room}`;
    this.following = true;
    this.seen();
    this.people();
    this.pending();
  }

  state(textContent, className = '') {
    Object.assign(element('state'), { textContent, className });
  }

  add(event) {
    this.lines.insert(event, render[event.type](event, this));
    if (event.type === 'message' && !event.own) this.#hear(event);
    if (this.following && this.lines.list.length > mostLines + historyStep && !this.conversation.asks.length) {
      this.conversation.oldest = this.lines.trim(mostLines);
      this.toNewest();
    }
  }

  /// The past: what one reads stays where it is.
  insert(events) {
    const top = li => li.getBoundingClientRect().top;
    const mark = !this.following && [...element('lines').children].find(li => top(li) > 0);
    const before = mark && top(mark);
    for (const event of events) this.lines.insert(event, render[event.type](event, this));
    if (mark) this.view.scrollTop += top(mark) - before;
  }

  problem(form, text) {
    element(`${form}-problem`).textContent = text;
  }

  notice(text) {
    element('lines').append(make('li', { className: 'notice', textContent: text }));
  }

  people() {
    this.drawing ??= requestAnimationFrame(() => {
      this.drawing = null;
      const { name, names, size } = this.conversation;
      const field = element('name');
      if (name !== field.dataset.now) field.value = field.dataset.now = name ?? '';
      element('show-people').textContent = element('count').textContent = `${size.toLocaleString()} here`;
      const all = [...names ?? []].sort(new Intl.Collator().compare);
      element('names').replaceChildren(...names === null ? [make('li', {}, 'Too many to name them.')]
        : all.map(one => make('li', { className: one === name ? 'me' : '' }, named(one))));
    });
  }

  pending() {
    const button = (textContent, onclick) => make('button', { textContent, onclick });
    element('pending').replaceChildren(...this.conversation.outbox.map(line => {
      const fate = make('div', { className: 'fate' }, { waiting: 'To be sent when connected', sent: 'Sending…',
        doubtful: 'Nobody knows whether this arrived. ' }[line.state]);
      if (line.state === 'doubtful') {
        fate.append(button('Send again', () => this.conversation.say(this.conversation.take(line.id).text)), ' ',
          button('Forget', () => this.conversation.take(line.id)));
      }
      return make('li', { className: 'own' }, make('div', { className: 'text', dir: 'auto' }, line.text), fate);
    }));
    keep();
  }

  toNewest() {
    this.view.scrollTop = this.view.scrollHeight;
    this.top = this.view.scrollTop;
  }

  seen() {
    if (!document.hidden) this.unread = 0;
    if (this.following) this.below = 0;
    this.#count();
  }

  older() {
    if (this.view.scrollTop < this.view.clientHeight) this.conversation.older();
  }

  #hear({ from, text }) {
    const heard = element('heard');
    heard.append(make('p', {}, `${from}: ${text}`));
    if (heard.children.length > 20) heard.firstChild.remove();
    if (document.hidden) this.unread++;
    if (!this.following) this.below++;
    this.#count();
  }

  #count() {
    const room = `${this.conversation.room} · Chorus`;
    const title = this.unread ? `(${this.unread}) ${room}` : room;
    if (document.title !== title) document.title = title;
    const textContent = this.below ? `${plural(this.below, 'new message')} ↓` : 'To the newest ↓';
    Object.assign(element('newest'), { hidden: this.following, textContent });
  }
}

// What connects.

/// What the browser remembers, if it may.
function remember(where, key, value) {
  try {
    if (value === undefined) return JSON.parse(window[where].getItem(`chorus-${key}`));
    window[where].setItem(`chorus-${key}`, JSON.stringify(value));
  } catch {}
}

const page = new Page();
let here = null; // the conversation one is in
let socket = null;
let wake = () => {};

const keep = () => here && remember('sessionStorage', 'room', { ...here.keep(), draft: element('text').value });

const pause = milliseconds => new Promise(resolve => {
  wake = resolve;
  setTimeout(resolve, milliseconds);
});

/// One connection, until it ends. True if the room was entered.
const connect = (conversation, url) => new Promise(resolve => {
  let entered = false;
  const mine = socket = new WebSocket(url, 'chorus.v1');
  conversation.send = command => {
    const open = mine.readyState === WebSocket.OPEN;
    if (open) mine.send(JSON.stringify(command));
    return open;
  };
  mine.onmessage = ({ data }) => {
    if (here !== conversation) return;
    if (!entered) page.state('Connected', 'connected');
    entered = true;
    conversation.received(data);
  };
  mine.onclose = ({ code }) => {
    resolve(entered);
    if (here !== conversation) return;
    conversation.lost();
    // Too big, the next time too.
    if (code === 1009) conversation.doubt();
    page.pending();
  };
});

/// A browser does not tell why a handshake failed. The server does, to whoever asks.
async function refusal(url) {
  url.protocol = url.protocol.replace('ws', 'http');
  const answer = await fetch(url).catch(() => null);
  return answer?.status === 400 ? (await answer.json()).detail : null;
}

async function stay(conversation) {
  for (let failures = 0; here === conversation; failures++) {
    page.state(failures ? 'Connecting again…' : 'Connecting…');
    const url = new URL(`chat/${conversation.room}?${conversation.query()}`, document.baseURI);
    url.protocol = url.protocol.replace('http', 'ws');
    if (await connect(conversation, url)) failures = 0;
    const problem = conversation.name === undefined ? await refusal(url) : null;
    if (here !== conversation) return;
    if (problem) return enter({ problem });
    const wait = Math.min(30e3, 500 * 2 ** failures) * (0.5 + Math.random());
    page.state(`Not connected. Trying again in ${plural(Math.ceil(wait / 1000), 'second')}`);
    await pause(wait);
  }
}

/// The room in the address, if one comes back to it or has given a name; else the entrance.
function enter({ name, problem = '' } = {}) {
  here = null;
  socket?.close();
  wake();
  const room = location.hash.slice(1);
  const { draft, ...last } = remember('sessionStorage', 'room') ?? {};
  const returns = last.room === room;
  const field = element('join-room');
  field.value = room;
  const inside = !problem && field.validity.valid && (returns || name !== undefined);
  element('entrance').hidden = inside;
  element('chat').hidden = !inside;
  page.problem('join', problem);
  element('text').value = returns ? draft : '';
  if (!inside) {
    remember('sessionStorage', 'room', null);
    document.title = 'Chorus';
    field.value ||= 'lobby';
    element('join-name').value = remember('localStorage', 'name') ?? '';
    element('join-name').focus();
    return;
  }
  here = new Conversation(room, returns ? last : { wanted: name }, page);
  page.enter(here);
  element('text').focus();
  stay(here);
}

const onSubmit = (id, act) => element(id).addEventListener('submit', event => {
  event.preventDefault();
  act();
});

onSubmit('join', () => {
  const name = element('join-name').value.trim();
  remember('localStorage', 'name', name);
  history.pushState(null, '', `#${element('join-room').value}`);
  enter({ name });
});

onSubmit('say', () => {
  const text = element('text');
  if (text.value.trim()) here.say(text.value);
  text.value = '';
  page.toNewest();
  text.focus();
});

onSubmit('rename', () => here.rename(element('name').value.trim()));

element('text').onkeydown = event => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  element('say').requestSubmit();
};

element('leave').onclick = () => {
  history.pushState(null, '', location.pathname);
  enter();
};

function showPeople(open) {
  element('people').classList.toggle('open', open);
  element('show-people').setAttribute('aria-expanded', open);
  element(open ? 'name' : 'show-people').focus();
}

element('show-people').onclick = () => showPeople(!element('people').matches('.open'));
element('people').onkeydown = ({ key }) => {
  if (key === 'Escape') showPeople(false);
};

addEventListener('pagehide', keep);
addEventListener('popstate', () => enter({ name: here?.wanted }));
addEventListener('online', () => wake());
addEventListener('offline', () => socket?.close());
document.addEventListener('visibilitychange', () => here && page.seen());
// On iOS a keyboard covers the page.
visualViewport?.addEventListener('resize', () =>
  visualViewport.scale === 1 && document.documentElement.style.setProperty('--height', `${visualViewport.height}px`));

enter();
