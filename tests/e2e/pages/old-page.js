// What the pages of the seed have in common: a stand-in for the library whose hook they set, and,
// once they have set it, one channel of it.

function RTCMultiConnection() {
  // Version 1.0 has no channel.
  if (location.hash !== '#none') this.channel = location.hash.slice(1) || 'main';
}

// Where the signaling server is.
var server = new URLSearchParams(location.search).get('server') || location.origin + '/';

var heard = [];

// Called by the page when its hook is set, as the library does on `connect()`. `connected` tells
// the test when it can begin to send.
function begin(connection, connected) {
  window.connected = connected;
  window.handle = connection.openSignalingChannel({
    onmessage: function (message) { heard.push(message); },
    onopen: function () { window.opened = true; }
  });
}
