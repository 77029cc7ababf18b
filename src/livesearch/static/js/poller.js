/* Asking again and again: an element with data-poll (milliseconds) gets the event ls:poll so often, as long as somebody
   looks. It stops when the element goes. What fails is asked ever more rarely, without a word to anybody. */
(() => {
  'use strict';
  const LONGEST = 60_000;
  // A person who types is about to search; the poll waits for a pause.
  const PAUSE = 1_000;
  const pollers = new Map();
  let typedAt = 0;

  const isPoller = (element) => Boolean(element?.dataset?.poll);
  // Pages that were opened together drift apart; none asks later than it was told to.
  const jittered = (milliseconds) => milliseconds * (0.85 + 0.15 * Math.random());
  const delayOf = (element, { failures, retryAfter }) => {
    const interval = Number(element.dataset.poll);
    return Math.max(jittered(Math.min(interval * 2 ** Math.max(failures - 1, 0), Math.max(LONGEST, interval))), retryAfter);
  };
  const arm = (element, milliseconds) => {
    const poller = pollers.get(element);
    clearTimeout(poller.timer);
    poller.timer = document.hidden ? 0 : setTimeout(ask, milliseconds, element);
  };
  const ask = (element) => {
    const poller = pollers.get(element);
    if (!poller || !element.isConnected) return look();
    const pause = typedAt + PAUSE - Date.now();
    if (pause > 0) return arm(element, pause);
    arm(element, delayOf(element, poller)); // Whatever comes of this one: a search may take its place.
    element.dispatchEvent(new CustomEvent('ls:poll'));
  };
  const look = () => {
    for (const [element, poller] of pollers) {
      if (element.isConnected && isPoller(element)) continue;
      clearTimeout(poller.timer);
      pollers.delete(element);
    }
    for (const element of document.querySelectorAll('[data-poll]')) {
      const address = element.getAttribute('hx-get');
      if (pollers.get(element)?.address === address) continue;
      clearTimeout(pollers.get(element)?.timer);
      pollers.set(element, { address, failures: 0, retryAfter: 0 });
      arm(element, delayOf(element, pollers.get(element)));
    }
  };

  document.addEventListener('DOMContentLoaded', look);
  document.addEventListener('htmx:after:swap', look);
  document.addEventListener('input', () => { typedAt = Date.now(); });
  const askAll = () => [...pollers.keys()].forEach(ask);
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) for (const { timer } of pollers.values()) clearTimeout(timer);
    else askAll();
  });
  addEventListener('online', () => { if (!document.hidden) askAll(); });
  // A page that comes back from the browser's memory.
  addEventListener('pageshow', (event) => { if (event.persisted && !document.hidden) askAll(); });

  const seconds = (text) => (/^\d+$/.test(text ?? '') ? 1_000 * Number(text) : 0);
  document.addEventListener('htmx:finally:request', (event) => {
    const { ctx } = event.detail;
    const poller = pollers.get(ctx.sourceElement);
    if (!poller) return;
    const hasFailed = ctx.pollFailed || (ctx.response?.status ?? 0) >= 400;
    if (!hasFailed && !ctx.response) return; // Taken over by a search, which brings a new one.
    poller.failures = hasFailed ? poller.failures + 1 : 0;
    poller.retryAfter = hasFailed ? seconds(ctx.response?.raw?.headers?.get('Retry-After')) : 0;
    arm(ctx.sourceElement, delayOf(ctx.sourceElement, poller));
  });
  // While they go down to their element, so before anything else hears of them: nobody asked, so nobody is told.
  const hush = (event) => {
    const ctx = event.detail?.ctx;
    if (!isPoller(ctx?.sourceElement)) return;
    if (event.type === 'htmx:error') ctx.pollFailed = true;
    else if ((ctx.response?.status ?? 0) < 400) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  document.addEventListener('htmx:error', hush, true);
  document.addEventListener('htmx:before:swap', hush, true);
})();
