/* The live list: what is said when it has changed elsewhere, and what stays in place when it is shown. */
(() => {
  'use strict';
  const live = () => document.getElementById('live');
  const link = () => document.getElementById('show-changes');
  const say = (text) => { document.getElementById('announcer').textContent = text; };
  const rowOf = (id) => document.getElementById(id)?.closest('.row');
  const isPoll = (ctx) => ctx?.sourceElement?.id === 'live';

  // An answer to a question that is no longer the page's.
  document.addEventListener('htmx:before:swap', (event) => {
    const { ctx } = event.detail;
    if (isPoll(ctx) && ctx.request.action !== live()?.getAttribute('hx-get')) event.preventDefault();
  });
  // Nothing has changed in this list, but in its collection: the next question begins there.
  document.addEventListener('htmx:finally:request', (event) => {
    const { ctx } = event.detail;
    const version = isPoll(ctx) && ctx.response?.status === 204 && ctx.response.raw.headers.get('Livesearch-Version');
    if (!version || !live() || ctx.request.action !== live().getAttribute('hx-get')) return;
    live().setAttribute('hx-get', ctx.request.action.replace(/([?&]v=)\d+/, `$1${version}`));
  });

  // Said once for each list, politely: that it goes on changing is no news.
  let isSaid = false;
  const markGone = (ids) => {
    for (const id of ids.split(' ').filter(Boolean)) rowOf(id)?.classList.add('is-gone');
  };
  document.addEventListener('htmx:after:swap', (event) => {
    const { ctx } = event.detail;
    if (!isPoll(ctx)) { isSaid = isSaid && Boolean(link()); return; }
    if (!link()) return;
    markGone(link().dataset.gone);
    if (!isSaid) say(`${link().dataset.summary}. Show it at the beginning of the results.`);
    isSaid = true;
  });

  // The caret, and what is selected, stay where they are when the mouse shows the changes.
  document.addEventListener('mousedown', (event) => { if (event.target.closest?.('#show-changes')) event.preventDefault(); });
  // So do explanations that are open, with the focus in them: the answer has links in their place.
  let showing = null;
  document.addEventListener('htmx:before:swap', (event) => {
    const { ctx } = event.detail;
    if (ctx.sourceElement?.id !== 'show-changes') return;
    const panels = [...document.querySelectorAll('.row > details.why[open]')];
    // After the swap its source is gone, and it tells of another.
    const rows = panels.map((panel) => [panel.parentElement.querySelector('[data-result]').id, panel]);
    showing = { ctx, rows, focused: document.activeElement };
  });
  document.addEventListener('htmx:after:swap', (event) => {
    if (event.detail.ctx !== showing?.ctx) return;
    const { rows, focused } = showing;
    showing = null;
    for (const [id, panel] of rows) rowOf(id)?.querySelector('.why')?.replaceWith(panel);
    say(document.querySelector('[data-announcement]')?.dataset.announcement ?? '');
    if (focused.isConnected) focused.focus({ preventScroll: true });
    else if (!document.activeElement || document.activeElement === document.body) {
      // What had it is gone, the link itself perhaps; whoever works with keys goes on at the list.
      const results = document.getElementById('results');
      results.tabIndex = -1;
      results.focus({ preventScroll: true });
    }
  });
})();
