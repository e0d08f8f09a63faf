// Drawing at most once for each picture that the browser shows, however often there is something new.

/** Gives a function that has `render` called soon, once for all its calls until then. */
export function soon(render) {
  let scheduled = false;
  const once = () => {
    if (!scheduled) return;
    scheduled = false;
    render();
  };
  return () => {
    if (scheduled) return;
    scheduled = true;
    // Both: animation frames stop in a hidden tab, and a timer alone would render more often than anybody can see.
    requestAnimationFrame(once);
    setTimeout(once, 500);
  };
}
