// Limits drawing to once per animation frame.

/** Returns a function that schedules `render`. Calls before it runs are combined. */
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
    // The timer is for hidden tabs, where animation frames stop.
    requestAnimationFrame(once);
    setTimeout(once, 500);
  };
}
