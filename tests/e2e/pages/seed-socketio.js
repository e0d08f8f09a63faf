// "openSignalingChannel for RTCMultiConnection.js and DataChanel.js (Client-Side Code)" for
// Socket.IO, as published; `server` is the address.
//
// Copyright (c) 2013 Muaz Khan. Part of the WebRTC Experiments
// (https://www.webrtc-experiment.com/), released under the MIT licence:
// https://www.webrtc-experiment.com/licence/

var channels = {};
var currentUserUUID = Math.round(Math.random() * 60535) + 5000;
var socketio = io.connect(server);

socketio.on('message', function(data) {
    if(data.sender == currentUserUUID) return;
    
    if (channels[data.channel] && channels[data.channel].onmessage) {
        channels[data.channel].onmessage(data.message);
    };
});

connection.openSignalingChannel = function (config) {
    var channel = config.channel || this.channel;
    channels[channel] = config;

    if (config.onopen) setTimeout(config.onopen, 1000);
    return {
        send: function (message) {
            socketio.emit('message', {
                sender: currentUserUUID,
                channel: channel,
                message: message
            });
        },
        channel: channel
    };
};
