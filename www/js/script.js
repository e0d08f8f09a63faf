// Loads classic scripts from a module.

/** Loads one. Its globals exist when the promise resolves. */
export function script(address) {
  return new Promise((done, fail) => {
    const tag = document.createElement('script');
    tag.src = address;
    tag.onload = done;
    tag.onerror = () => fail(new Error(`${address} could not be loaded. npm start serves it; another server may not.`));
    document.head.append(tag);
  });
}
