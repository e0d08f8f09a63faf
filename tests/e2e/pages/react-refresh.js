// Fast Refresh, which has to be there before React DOM is.

import { createSignatureFunctionForTransform, injectIntoGlobalHook, performReactRefresh, register } from 'react-refresh/runtime';

injectIntoGlobalHook(window);

/** Registers a version of a component as bundlers do. State is kept between those of one signature. */
export function registerVersion(component, name, signature) {
  const sign = createSignatureFunctionForTransform();
  sign(component, signature, signature === 'reset');
  register(component, name);
  return component;
}

export { performReactRefresh };
