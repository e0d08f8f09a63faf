// Classic scripts, loaded by a module in their order.

/** Loads one; what it puts into the global scope is there afterwards. */
export function script(address) {
  return new Promise((done, fail) => {
    const tag = document.createElement('script');
    tag.src = address;
    tag.onload = done;
    tag.onerror = () => fail(new Error(`${address} could not be loaded. npm start serves it; another server may not.`));
    document.head.append(tag);
  });
}
