/* Typing: when to search, which answer to show, and what to say about it. */
(() => {
  'use strict';
  const BOX = 'form[data-live-search] input[name=q]';
  const isForm = (element) => element?.matches?.('form[data-live-search]');
  // A link to another reading of the same words is a search, too: numbered, announced, and superseded like one.
  const isSearch = (element) => isForm(element) || element?.matches?.('a[data-search-link]');

  /* ---- Input methods. A composition is one search, at its end: 検索 typed is 8 input events. Android's keyboards
     compose Latin words too, letter by letter, so there only ideographs wait, for as long as the page is open. */
  const isAndroid = /Android/i.test(navigator.userAgent);
  const IDEOGRAPHS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}]/u;
  let composesIdeographs = false;
  const isUnfinished = (event) => {
    if (!event.isComposing) return false;
    if (!isAndroid) return true;
    composesIdeographs ||= IDEOGRAPHS.test(event.data ?? '');
    return composesIdeographs;
  };
  const typed = (event) => {
    const box = event.target;
    if (!box.matches?.(BOX) || isUnfinished(event)) return;
    box.form.dispatchEvent(new CustomEvent('ls:search'));
    box.dispatchEvent(new CustomEvent('ls:typed', { bubbles: true }));
  };
  document.addEventListener('input', typed);
  // Chrome sends no input event after the end of a composition.
  document.addEventListener('compositionend', (event) => typed({ target: event.target, isComposing: false }));

  /* ---- Answers. hx-sync aborts the request that a newer one supersedes; an answer that slips through is dropped. */
  let lastNumber = 0;
  let shownAddress = null;
  document.addEventListener('htmx:before:request', (event) => {
    const { ctx } = event.detail;
    if (!isSearch(ctx.sourceElement)) return;
    ctx.searchNumber = ++lastNumber;
    // A letter typed and taken back: what is shown is the answer already, whatever the letter led to.
    if (ctx.sourceEvent?.type === 'ls:search' && ctx.request.action === shownAddress) {
      event.preventDefault();
      document.getElementById('error-container').replaceChildren();
    }
  });
  // While it goes down to its element, so before anything else hears of it: a late failure has nothing to say either.
  const dropIfStale = (event) => {
    const ctx = event.detail?.ctx;
    if (!isSearch(ctx?.sourceElement) || ctx.searchNumber === lastNumber) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  document.addEventListener('htmx:before:swap', dropIfStale, true);
  document.addEventListener('htmx:error', dropIfStale, true);
  document.addEventListener('htmx:after:swap', (event) => {
    const { ctx } = event.detail;
    if (!isSearch(ctx.sourceElement) || ctx.response?.status !== 200) return;
    shownAddress = ctx.request.action;
    if (document.activeElement?.matches(BOX)) scrollTo({ top: 0, behavior: 'instant' });
    announceSoon();
  });
  // Back puts another page's results under this script: nothing is shown any more.
  document.addEventListener('htmx:before:history:restore', () => { shownAddress = null; });

  /* ---- The count, read aloud. Screen readers read what is typed first; a count that comes sooner is cut off. */
  let announcing = 0;
  const announceSoon = () => {
    clearTimeout(announcing);
    announcing = setTimeout(() => {
      const text = document.querySelector('[data-announcement]')?.dataset.announcement ?? '';
      const announcer = document.getElementById('announcer');
      if (announcer) announcer.textContent = text;
    }, 1000);
  };

  /* ---- Phones: the keyboard goes away when the search is done, the filters when they are chosen. */
  document.addEventListener('submit', (event) => {
    if (isForm(event.target) && matchMedia('(pointer: coarse)').matches) document.activeElement?.blur();
  });
  document.addEventListener('click', (event) => {
    if (!event.target.closest('[data-close-filters]')) return;
    const filters = document.getElementById('filters-switch');
    filters.open = false;
    filters.querySelector('summary').focus();
    scrollTo({ top: 0, behavior: 'instant' });
  });
})();
