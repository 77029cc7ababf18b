/* What htmx needs from us: CSRF tokens, Trusted Types, no eval, and words for failures that no answer explains. */
(() => {
  'use strict';
  const isHtmx4 = typeof htmx.registerExtension === 'function';
  const isSafe = (method) => /^(GET|HEAD|OPTIONS|QUERY)$/i.test(method);
  const meta = (name) => document.querySelector(`meta[name=${name}]`);
  const csrfToken = () => meta('csrf-token').content;
  // Pages for visitors come from caches, without a token; a page may also be older than its session. Forms that are
  // open keep what was typed, and take the new token.
  const renewToken = async () => {
    const answer = await fetch(meta('csrf-address').content, { headers: { 'HX-Request': 'true' } });
    if (!answer.ok) return;
    meta('csrf-token').content = await answer.text();
    for (const field of document.querySelectorAll('input[name=csrf_token]')) field.value = csrfToken();
  };

  const say = (sentence) => {
    const container = document.getElementById('error-container');
    if (container) container.textContent = sentence;
  };
  const addHeaders = (headers, method, source) => {
    if (!isSafe(method)) headers['X-CSRFToken'] = csrfToken();
    if (source?.dataset?.poll) headers['X-Poll'] = '1';
  };

  // htmx 4 and htmx 2 name the event differently; whichever is vendored, unsafe requests carry the token.
  document.addEventListener('htmx:config:request', (event) => {
    const { ctx } = event.detail;
    addHeaders(ctx.request.headers, ctx.request.method, ctx.sourceElement);
    if (isSafe(ctx.request.method) || csrfToken()) return;
    ctx.fetch = async (address, request) => {
      await renewToken();
      request.headers['X-CSRFToken'] = csrfToken();
      return fetch(address, request);
    };
  });
  document.addEventListener('htmx:configRequest', (event) => {
    addHeaders(event.detail.headers, event.detail.verb, event.detail.elt);
  });

  document.addEventListener('csrfExpired', renewToken);

  // A form sent twice is put in its own place by the first answer; the second must find that place, not the form that
  // has gone, or what it did would go unsaid.
  document.addEventListener('htmx:after:request', (event) => {
    const { ctx } = event.detail;
    if (isSafe(ctx.request.method) || ctx.target?.isConnected !== false) return;
    ctx.target = document.getElementById(ctx.target.id) ?? ctx.target;
  });

  // htmx 4 parses answers with parseHTMLUnsafe, which needs a policy. Ours makes every script in an answer empty.
  const rules = { createHTML: (html) => html, createScript: () => '' };
  const policy = window.trustedTypes?.createPolicy('htmx', rules) ?? rules;
  if (isHtmx4) {
    class NoEval { constructor() { throw new Error('eval is switched off'); } }
    htmx.registerExtension('ls-security', { init: (api) => api.initSecurity(policy, NoEval, NoEval) });
  }

  // Our own failures say where they belong. A proxy's error page does not, and must never land among the results.
  const isForeign = (status, retarget) => status >= 400 && status !== 422 && !retarget;
  document.addEventListener('htmx:before:swap', (event) => {
    const { ctx } = event.detail;
    const status = ctx?.response?.status ?? 0;
    if (!isForeign(status, ctx?.hx?.retarget)) return;
    event.preventDefault();
    say(`The server could not answer (${status}). Try again in a moment.`);
  });
  document.addEventListener('htmx:error', (event) => {
    const { ctx } = event.detail;
    if (!ctx) return;
    const isTimeout = ctx.request?.signal?.reason === 'timeout';
    say(isTimeout ? 'The server took too long. Try again.' : 'The server cannot be reached. Check the connection.');
  });
  // Only the results' own good answer takes a message back: a poll or a badge must not.
  document.addEventListener('htmx:after:swap', (event) => {
    const { ctx } = event.detail;
    if ((ctx?.response?.status ?? 0) < 400 && ctx?.sourceElement?.matches?.('form, [data-search-link]')) say('');
  });
})();
