// What the examples of RTCMultiConnection 3 share: the room of the address, the button, the videos.

const { RTCMultiConnection } = window;
const button = document.querySelector('#start');
const told = document.querySelector('#told');
const videos = document.querySelector('#videos');
const example = location.pathname.split('/').at(-1).replace('.html', '');

/** The examples have rooms of their own. */
export const room = `${example} ${decodeURIComponent(location.hash.slice(1)) || 'lobby'}`;

/** A connection for these pages: to the own server, with addresses of the own network only. */
export function makeConnection(session) {
  const connection = new RTCMultiConnection();
  connection.socketURL = '/';
  connection.session = session;
  connection.iceServers = [];
  connection.enableLogs = false;
  connection.sdpConstraints.mandatory = { OfferToReceiveAudio: Boolean(session.audio), OfferToReceiveVideo: Boolean(session.video || session.screen) };
  connection.onstream = ({ mediaElement, type, userid }) => {
    mediaElement.muted ||= type === 'local';
    mediaElement.title = type === 'local' ? 'you' : userid;
    videos.append(mediaElement);
    count();
  };
  connection.onstreamended = ({ mediaElement }) => {
    mediaElement?.remove();
    count();
  };
  connection.onMediaError = (error) => tell(`No camera, microphone or screen: ${error.message || error.name || error}`);
  return connection;
}

/** Calls `start` when the button is pressed. */
export function onStart(start) {
  button.disabled = false;
  button.onclick = () => {
    button.disabled = true;
    tell('Connecting …');
    start();
  };
}

/** Shows what happens. */
export function tell(text) {
  told.textContent = text;
}

/** Opens the room, or joins it if it is there. */
export function enter(connection) {
  connection.openOrJoin(room, (isIn, name, error) => tell(isIn ? (connection.isInitiator ? 'You have opened the room. Open this page in another tab.' : 'You have joined the room.') : `You can’t join: ${error}.`));
}

function count() {
  const { length } = videos.querySelectorAll('video');
  if (length) tell(`${length === 1 ? 'One video' : `${length} videos`} in the room.`);
}
