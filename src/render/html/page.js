'use strict';
(() => {
  const gallery = document.getElementById('gallery');
  if (!gallery) return;
  const get = id => document.getElementById(id);
  const total = Number(gallery.dataset.total);
  const first = Number(gallery.dataset.static);
  const what = gallery.dataset.what;
  const PAGE = 100;
  const number = new Intl.NumberFormat('en-US');
  const counted = (count, word) => `${number.format(count)} ${word}${count === 1 ? '' : 's'}`;

  // Cards by their number; those of a block that was not opened are missing.
  const cards = new Map();
  for (const card of gallery.children) cards.set(Number(card.dataset.card), card);
  const firstCards = cards.size;

  const unpack = async id => {
    const text = atob(get(id).textContent);
    const bytes = new Uint8Array(text.length);
    for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
    return new Response(plain).text();
  };

  let indexed;
  const index = () => indexed ??= unpack('index').then(text => {
    const all = JSON.parse(text);
    all.starts = [];
    let start = 0;
    for (const [, , changes] of all.cards) {
      all.starts.push(start);
      start += changes;
    }
    const names = get('concepts');
    for (const concept of all.concepts.slice(0, 1000)) {
      const option = document.createElement('option');
      option.value = concept;
      names.append(option);
    }
    return all;
  });

  const blocks = new Map();
  const open = block => {
    if (!blocks.has(block)) {
      blocks.set(block, unpack(`block${block}`).then(html => {
        const template = document.createElement('template');
        template.innerHTML = html;
        for (const card of [...template.content.children]) {
          cards.set(Number(card.dataset.card), card);
        }
      }));
    }
    return blocks.get(block);
  };

  // Puts cards into the page, in their order, with the cards that hold their pictures.
  const attach = async numbers => {
    if (numbers.some(at => !cards.has(at))) {
      const all = await index();
      const whole = new Set(numbers);
      for (const at of numbers) whole.add(all.cards[at][3]);
      numbers = [...whole].sort((a, b) => a - b);
      await Promise.all(numbers.filter(at => !cards.has(at)).map(at => open(all.cards[at][0])));
    }
    let next = gallery.firstElementChild;
    for (const at of numbers) {
      const card = cards.get(at);
      while (next && Number(next.dataset.card) < at) next = next.nextElementSibling;
      if (!card.isConnected) gallery.insertBefore(card, next);
    }
  };

  const value = id => get(id).value;
  const chosen = () => {
    const lower = id => value(id).trim().toLowerCase();
    return {
      kind: value('kind'), user: value('user'), reason: value('reason'), app: value('app'),
      concept: lower('concept'), input: lower('input'),
      words: lower('text').split(/\s+/).filter(Boolean),
    };
  };
  const isFiltered = wanted => Boolean(wanted.kind || wanted.user || wanted.reason || wanted.app ||
    wanted.concept || wanted.input || wanted.words.length);

  // Which changes pass the filters.
  const matching = (all, wanted) => {
    const having = (names, text) => names.map(name => name.toLowerCase().includes(text));
    const naming = text => {
      const concepts = having(all.concepts, text);
      return all.lists.map(list => list.some(concept => concepts[concept]));
    };
    const lists = wanted.concept && naming(wanted.concept);
    const inputs = wanted.input && having(all.inputs, wanted.input);
    const words = wanted.words.map(text => ({
      text, lists: naming(text), inputs: having(all.inputs, text), kinds: having(all.kinds, text),
      users: having(all.users, text), reasons: having(all.reasons, text), apps: having(all.apps, text),
    }));
    const found = new Uint8Array(total);
    all.cards.forEach(([, , changes, , input], card) => {
      if (inputs && !inputs[input]) return;
      for (let at = all.starts[card]; at < all.starts[card] + changes; at++) {
        if (wanted.kind && all.kind[at] !== Number(wanted.kind)) continue;
        if (wanted.user && all.user[at] !== Number(wanted.user)) continue;
        if (wanted.reason && all.reason[at] !== Number(wanted.reason)) continue;
        if (wanted.app && all.app[at] !== Number(wanted.app)) continue;
        if (lists && !lists[all.list[at]]) continue;
        const has = word => word.inputs[input] || word.lists[all.list[at]] || word.kinds[all.kind[at]] ||
          word.users[all.user[at]] || word.reasons[all.reason[at]] || word.apps[all.app[at]] ||
          all.texts[at].includes(word.text);
        if (words.every(has)) found[at] = 1;
      }
    });
    return found;
  };

  let limit = first;
  let opened = new Set();
  let turn = 0;

  const mark = (card, isShown) => {
    [...card.querySelectorAll('ol > li')].forEach((change, at) => { change.hidden = !isShown(at); });
    for (const shape of card.querySelectorAll('svg.picture g[id]')) {
      shape.classList.toggle('off', !isShown(Number(shape.id.split('-')[1])));
    }
  };

  const show = async () => {
    const mine = ++turn;
    const wanted = chosen();
    const isPlain = !isFiltered(wanted);
    const visible = new Map();
    let matches = total;
    let shown = 0;
    if (isPlain && limit <= first) {
      for (let at = 0; at < firstCards; at++) visible.set(at, () => true);
      shown = first;
    } else {
      const all = await index();
      const found = isPlain ? null : matching(all, wanted);
      matches = found ? found.reduce((sum, one) => sum + one, 0) : total;
      for (let card = 0; card < all.cards.length && shown < limit; card++) {
        const start = all.starts[card];
        const changes = all.cards[card][2];
        const count = found ? found.subarray(start, start + changes).reduce((sum, one) => sum + one, 0) : changes;
        if (count === 0) continue;
        visible.set(card, at => !found || found[start + at] === 1);
        shown += count;
      }
      await attach([...visible.keys()]);
    }
    if (mine !== turn) return;
    for (const [at, card] of cards) {
      const isShown = visible.get(at);
      card.hidden = !isShown && !opened.has(at);
      if (isShown) mark(card, isShown);
      else if (opened.has(at)) mark(card, () => true);
    }
    get('shown').textContent = isPlain
      ? (shown < total ? `${number.format(shown)} of ${counted(total, what)} shown.` : `${counted(total, what)}.`)
      : `${number.format(matches)} of ${counted(total, what)} match${matches === 1 ? 'es' : ''}` +
        (shown < matches ? `, ${number.format(shown)} shown.` : '.');
    get('more').hidden = shown >= matches;
    gallery.dataset.ready = String(mine);
  };
  const refilter = () => {
    limit = isFiltered(chosen()) ? PAGE : first;
    opened = new Set();
    return show();
  };
  const more = () => {
    limit += PAGE;
    return show();
  };

  // The change that the keys are at.
  let here = null;
  const select = change => {
    here?.classList.remove('here');
    here = change;
    here.classList.add('here');
    here.focus({preventScroll: true});
    here.scrollIntoView({block: 'center'});
  };
  const step = async by => {
    const visible = () => [...gallery.querySelectorAll('article:not([hidden]) > ol > li:not([hidden])')];
    let all = visible();
    let at = here && all.includes(here) ? all.indexOf(here) + by : (by > 0 ? 0 : all.length - 1);
    if (at >= all.length && !get('more').hidden) {
      await more();
      all = visible();
      at = here && all.includes(here) ? all.indexOf(here) + by : 0;
    }
    if (all[at]) select(all[at]);
  };

  // A link may encode more characters than an id does, or fewer: both are compared decoded.
  const decoded = text => text.replace(/(%[0-9a-f]{2})+/gi, bytes => {
    try {
      return decodeURIComponent(bytes);
    } catch {
      return bytes;
    }
  });
  // Finds the card or the change of an address that is no id as it stands.
  const find = async link => {
    const all = await index();
    const address = decoded(link);
    const names = [address, address.replace(/^i-/, '')];
    const inputs = all.inputs.map((id, at) => {
      const name = at in all.links ? decoded(all.links[at]) : id;
      return names.some(it => it.startsWith(name) && /^(~\d+)?(\/|$)/.test(it.slice(name.length)));
    });
    const found = [...all.cards.keys()].filter(card => inputs[all.cards[card][4]]);
    await attach(found);
    found.forEach(card => opened.add(card));
    const exact = get(link);
    if (exact) return exact;
    const targets = new Map();
    for (const card of found.map(at => cards.get(at))) {
      for (const it of [card, ...card.querySelectorAll('li, li > span[id]')]) {
        if (!targets.has(decoded(it.id))) targets.set(decoded(it.id), it);
      }
    }
    // The name of an input is its card; an annotation may only have an entry of what was changed in the app.
    return [address, `i-${address}`, `${address}~app`].map(it => targets.get(it)).find(Boolean);
  };
  const follow = async () => {
    const link = location.hash.slice(1);
    if (!link) return;
    const target = get(link) ?? await find(link);
    if (!target && link.includes('/')) get('shown').textContent += ` No change has the address #${link}.`;
    if (!target || !gallery.contains(target)) return;
    const card = target.closest('article');
    // The link may name the key of a change, which is within it.
    const change = target.closest('li');
    if (card.hidden || change?.hidden) {
      opened.add(Number(card.dataset.card));
      card.hidden = false;
      mark(card, () => true);
    }
    if (change) select(change);
    else card.scrollIntoView();
  };

  const SIDES = ['before and after', 'before', 'after'];
  let side = 0;
  const toggle = () => {
    side = (side + 1) % SIDES.length;
    document.body.dataset.sides = SIDES[side];
    get('sides').textContent = `Drawn: ${SIDES[side]}`;
  };
  const keys = () => get('help').showModal();

  get('controls').hidden = false;
  get('more').hidden = first >= total;
  for (const id of ['kind', 'user', 'reason', 'app']) get(id).addEventListener('change', refilter);
  for (const id of ['concept', 'input', 'text']) get(id).addEventListener('input', refilter);
  get('concept').addEventListener('focus', index, {once: true});
  get('clear').addEventListener('click', () => {
    for (const id of ['kind', 'user', 'reason', 'app', 'concept', 'input', 'text']) get(id).value = '';
    return refilter();
  });
  get('more').addEventListener('click', more);
  get('next').addEventListener('click', () => step(1));
  get('previous').addEventListener('click', () => step(-1));
  get('sides').addEventListener('click', toggle);
  get('keys').addEventListener('click', keys);
  get('close').addEventListener('click', () => get('help').close());
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || get('help').open) return;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    const action = {
      j: () => step(1), ArrowRight: () => step(1), k: () => step(-1), ArrowLeft: () => step(-1),
      b: toggle, '/': () => get('text').focus(), '?': keys,
    }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  window.addEventListener('hashchange', follow);
  follow();
})();
