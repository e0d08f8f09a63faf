import { makeConnection, onStart, room, tell } from './page.js';

// Each page sends to two others at most; those relay it to the next.
const connection = makeConnection({ audio: true, video: true, oneway: true });
connection.enableScalableBroadcast = true;
connection.maxRelayLimitPerUser = 2;
connection.extra.broadcastId = room;
const { onstream } = connection;
const viewers = document.querySelector('#viewers');

onStart(() => connection.connectSocket((socket) => {
  socket.on('start-broadcasting', () => {
    connection.sdpConstraints.mandatory = { OfferToReceiveAudio: false, OfferToReceiveVideo: false };
    connection.open(room, () => tell('You are the broadcaster. Open this page in other tabs.'));
  });
  socket.on('join-broadcaster', ({ userid }) => connection.join(userid));
  socket.on('rejoin-broadcast', () => {
    connection.attachStreams = [];
    socket.emit('can-not-relay-broadcast');
    join(socket);
  });
  socket.on('broadcast-stopped', () => tell('The broadcast has ended.'));
  socket.on('number-of-broadcast-viewers-updated', ({ numberOfBroadcastViewers }) => (viewers.textContent = `Viewers: ${numberOfBroadcastViewers}`));
  socket.emit('check-broadcast-presence', room, (isThere) => {
    // The broadcaster has the broadcast's id.
    if (!isThere) connection.userid = room;
    join(socket);
  });
}));

function join(socket) {
  socket.emit('join-broadcast', { broadcastId: room, userid: connection.userid, typeOfStreams: connection.session });
}

connection.onstream = (event) => {
  onstream(event);
  if (event.type === 'local') return;
  tell(`You, ${connection.userid}, receive the broadcast from ${event.userid === room ? 'the broadcaster' : `another viewer, ${event.userid}`}.`);
  // What comes in goes out to others.
  connection.dontCaptureUserMedia = true;
  connection.attachStreams = [event.stream];
  connection.sdpConstraints.mandatory = { OfferToReceiveAudio: false, OfferToReceiveVideo: false };
  connection.socket.emit('can-relay-broadcast');
};
