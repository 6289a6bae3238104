// A table wider than the screen scrolls inside its frame: this lets the keyboard scroll it too.
window.headwayReach ||= (() => {
  const look = () => {
    clearTimeout(window.headwayReaches);  // once the page is quiet: to ask how wide things are takes a while
    window.headwayReaches = setTimeout(() => document.querySelectorAll('.figures').forEach(
      frame => {
        const more = frame.scrollWidth > frame.clientWidth || frame.scrollHeight > frame.clientHeight;
        frame.tabIndex = more ? 0 : -1;
      }), 200);
  };
  addEventListener('resize', look);
  return new MutationObserver(look);
})();
// After a page is chosen its heading has the focus, so that a screen reader reads it and Tab goes on from there; and the
// browser's own title is the heading's. Not on the first page of a visit, nor where the visitor is typing.
window.headwayTitle ||= (() => {
  let before = null, said = '';
  // What a search or a slider came to is read out: the headings that are new while the page stays the same.
  const told = document.body.appendChild(document.createElement('div'));
  told.className = 'told';
  told.setAttribute('role', 'status');
  const results = () => {
    const now = [...document.querySelectorAll('[data-testid=stMain] h2')].map(one => one.textContent.trim());
    const fresh = now.filter(text => text && !said.includes(text));
    said = now;
    return fresh.join('. ');
  };
  const look = () => {
    const heading = document.querySelector('[data-testid=stMain] h1');
    if (!heading || !heading.innerText.trim()) return;
    const title = heading.innerText.trim() + ' · Headway', address = location.pathname + heading.innerText;
    if (document.title !== title) document.title = title;
    const fresh = results();
    if (address === before) {
      const at = document.activeElement;
      if (fresh && at !== heading && at.closest('[data-testid=stMain]')) told.textContent = fresh;
      return;
    }
    told.textContent = '';
    const first = before === null;
    before = address;
    if (first || ['INPUT', 'TEXTAREA'].includes(document.activeElement.tagName)) return;
    heading.tabIndex = -1;
    heading.focus({preventScroll: false});
  };
  setInterval(look, 500);  // also where the page was drawn before anybody watched it
  return new MutationObserver(look);
})();
window.headwayTitle.observe(document.body, {childList: true, subtree: true, characterData: true});
window.headwayReach.observe(document.body, {childList: true, subtree: true, attributes: true, attributeFilter: ['open']});
// A row of a table that links goes there as the menu does: the page is not loaded anew.
window.headwayLinks ||= document.addEventListener('click', event => {
  const link = event.target.closest('.figures a[href]');
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  history.pushState({}, '', link.href);
  dispatchEvent(new PopStateEvent('popstate'));
}) || true;
