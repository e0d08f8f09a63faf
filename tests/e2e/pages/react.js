// A page with the hooks of signal-wasm/react, as tests drive it. What happens is in `told`.

import { performReactRefresh, registerVersion } from './react-refresh.js';
import { createElement, StrictMode, useEffect, version } from 'react';
import { createRoot } from 'react-dom/client';
import { useChannel, useRoom, useSignaling } from 'signal-wasm/react';

window.told = [];
window.version = version;
const tell = (...what) => window.told.push(what);

/** A user of a channel. It sends `first` as soon as it is there. */
function Chat({ signaling, channel, label, first, round }) {
  const send = useChannel(signaling, channel, (message) => tell('channel', label, message, round));
  useEffect(() => {
    if (first !== undefined) send(first);
  }, [send, first]);
  useEffect(() => {
    window.say = send;
  });
  return null;
}

function Lobby({ signaling, name, data, password, round }) {
  const view = useRoom(signaling, name, { data: { ...data }, password, onMessage: ({ peer, message }) => tell('room', peer.data.name, message, round) });
  useEffect(() => {
    window.view = view;
  });
  return view.peers.map(({ id, data }) => createElement('li', { key: id }, data.name));
}

/** A page of a user: chats and a lobby, with objects that are made in each rendering. */
function App({ options, chats = [], lobby, round = 0 }) {
  const signaling = useSignaling({ ...options, onstatechange: (state) => tell('state', state, round) });
  useEffect(() => {
    window.signaling = signaling;
  }, [signaling]);
  const users = chats.map((chat) => createElement(Chat, { key: chat.label, signaling, round, ...chat }));
  return createElement('ul', { title: `round ${round}` }, ...users, lobby && createElement(Lobby, { key: 'lobby', signaling, round, ...lobby }));
}
registerVersion(App, 'App', 'first');

let root;
let made = App;
window.render = ({ key = 'app', ...props }) => {
  root ??= createRoot(document.body.appendChild(document.createElement('main')));
  root.render(createElement(StrictMode, null, createElement(made, { key, ...props })));
};
window.unmount = () => {
  root.unmount();
  root = undefined;
};

/** As if App's file had been saved. */
window.refresh = (signature) => {
  made = registerVersion((props) => App(props), 'App', signature);
  performReactRefresh();
};
window.ready = true;
