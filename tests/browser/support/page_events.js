// The events by which the browser tells a page about its lifecycle and its network.

export const pageEvents = {
  /** The page goes into the back/forward cache; or, unless `persisted`, is unloaded. */
  pagehide: (persisted = true) => {
    pageEvents.hiding(persisted);
    pageEvents.hidden();
    if (persisted) pageEvents.freeze();
  },
  /** The first of these events. */
  hiding: (persisted = true) => dispatchEvent(new PageTransitionEvent('pagehide', { persisted })),
  /** The page's tasks stop: in the back/forward cache, or in the background. */
  freeze: () => document.dispatchEvent(new Event('freeze')),
  /** The page leaves the back/forward cache; or, unless `persisted`, was just loaded. */
  pageshow: (persisted = true) => dispatchEvent(new PageTransitionEvent('pageshow', { persisted })),
  online: () => dispatchEvent(new Event('online')),
  offline: () => dispatchEvent(new Event('offline')),
  hidden: () => visibilityChange(),
  shown: () => visibilityChange(),
};

/** The event is the document's, and bubbles up to the window. */
function visibilityChange() {
  document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
}
