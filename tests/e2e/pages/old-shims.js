// What pages pasted in for websocket-over-nodejs, socketio-over-nodejs, reliable-signaler and bare
// Socket.IO. Each function makes an `openSignalingChannel` for a server.

/* global io */

/** A WebSocket for each channel. */
function websocketOverNodejs(server) {
  return function (config) {
    var channel = config.channel || this.channel;
    var websocket = new WebSocket(server);
    websocket.channel = channel;
    websocket.push = websocket.send;
    websocket.onopen = function () {
      websocket.push(JSON.stringify({ open: true, channel: channel }));
      if (config.callback) config.callback(websocket);
    };
    websocket.onmessage = function (event) {
      config.onmessage(JSON.parse(event.data));
    };
    websocket.send = function (data) {
      websocket.push(JSON.stringify({ data: data, channel: channel }));
    };
    return websocket;
  };
}

function websocketPresence(server, channel, answer) {
  var websocket = new WebSocket(server);
  websocket.onmessage = function (event) {
    answer(JSON.parse(event.data).isChannelPresent);
  };
  websocket.onopen = function () {
    websocket.send(JSON.stringify({ checkPresence: true, channel: channel }));
  };
}

/** A namespace for each channel. */
function socketioOverNodejs(server) {
  return function (config) {
    var channel = config.channel || this.channel;
    var sender = Math.round(Math.random() * 999999999) + 999999999;
    io.connect(server).emit('new-channel', { channel: channel, sender: sender });
    var socket = io.connect(server + channel);
    socket.channel = channel;
    socket.on('connect', function () {
      if (config.callback) config.callback(socket);
    });
    socket.send = function (message) {
      socket.emit('message', { sender: sender, data: message });
    };
    socket.on('message', config.onmessage);
    socket.on('user-left', function (user) {
      window.left = user;
    });
    return socket;
  };
}

function socketioPresence(server, channel, answer) {
  var socket = io.connect(server);
  socket.on('presence', answer);
  socket.emit('presence', channel);
}

/** The seed's envelopes on one socket, and rooms that the server keeps. */
function reliableSignaler(server) {
  var receivers = {};
  var socket = io.connect(server);
  socket.on('message', function (data) {
    if (receivers[data.channel]) receivers[data.channel](data.message);
  });
  window.keepRoom = function (room, done) {
    socket.emit('keep-in-server', room, done);
  };
  window.findRoom = function (room, found) {
    socket.emit('get-session-info', room, found);
  };
  return function (config) {
    var channel = config.channel || this.channel;
    receivers[channel] = config.onmessage;
    if (config.callback) setTimeout(config.callback, 1);
    return {
      channel: channel,
      send: function (message) {
        socket.emit('message', { sender: 'someone', channel: channel, message: message });
      },
    };
  };
}

/** One socket for everything, without envelopes. */
function bareSocketio(server) {
  return function (config) {
    var socket = io.connect(server);
    socket.on('message', config.onmessage);
    socket.on('connect', function () {
      if (config.callback) config.callback(socket);
    });
    socket.send = function (message) {
      socket.emit('message', message);
    };
    return socket;
  };
}
