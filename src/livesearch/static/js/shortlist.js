/* Buttons beside results know what is on the shortlist: pages for visitors are the same for all, so the header says it. */
(() => {
  'use strict';
  const badge = () => document.getElementById('shortlist-count');
  const label = (button, text) => {
    button.title = text;
    button.querySelector('.visually-hidden').textContent = text;
  };
  const paint = () => {
    const kept = new Set(JSON.parse(badge()?.dataset.shortlist || '[]'));
    for (const button of document.querySelectorAll('button[form=shortlist-form]')) {
      const isKept = kept.has(button.value);
      button.name = isKept ? 'remove' : 'add';
      label(button, isKept ? 'Remove from shortlist' : 'Add to shortlist');
    }
  };
  document.addEventListener('DOMContentLoaded', paint);
  document.addEventListener('htmx:after:history:restore', paint);
  document.addEventListener('htmx:after:swap', (event) => {
    paint();
    if (event.detail?.ctx?.sourceElement?.id !== 'shortlist-count') return;
    document.getElementById('announcer').textContent = badge()?.dataset.said ?? '';
  });
  document.addEventListener('shortlistUpdated', () => document.getElementById('error-container').replaceChildren());
  // A page that the browser kept whole may be older than the list.
  addEventListener('pageshow', (event) => {
    if (event.persisted) document.body.dispatchEvent(new CustomEvent('shortlistUpdated'));
  });
})();
