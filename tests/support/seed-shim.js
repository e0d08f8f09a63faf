// The shim that signal-wasm replaces, for comparison in tests and benches: the two functions of the
// seed over a plain WebSocket.
//
// Copyright (c) 2013 Muaz Khan. Part of the WebRTC Experiments
// (https://www.webrtc-experiment.com/), released under the MIT licence:
// https://www.webrtc-experiment.com/licence/
//
// Classic script, code as it was published. The one addition is the function around it:
// `seedShim(url)` gives the shim for that server, so that one page can hold several, or hold it
// beside ours.

function seedShim(url) {
    // global stuff
    var channels = {};
    var currentUserUUID = Math.round(Math.random() * 60535) + 5000;
    var websocket = new WebSocket(url);

    websocket.onmessage =  function(e) {
        data = JSON.parse(e.data);
        
        if(data.sender == currentUserUUID) return;
        
        if (channels[data.channel] && channels[data.channel].onmessage) {
            channels[data.channel].onmessage(data.message);
        };
    };

    // overriding "openSignalingChannel" method
    function openSignalingChannel(config) {
        var channel = config.channel || this.channel;
        channels[channel] = config;

        if (config.onopen) setTimeout(config.onopen, 1000);
        return {
            send: function (message) {
                websocket.send(JSON.stringify({
                    sender: currentUserUUID,
                    channel: channel,
                    message: message
                }));
            },
            channel: channel
        };
    }

    // the same for all standalone experiments
    function openSocket(config) {
        var channel = config.channel || 'main-channel';
        channels[channel] = config;

        if (config.onopen) setTimeout(config.onopen, 1000);
        return {
            send: function (message) {
                websocket.send(JSON.stringify({
                    sender: currentUserUUID,
                    channel: channel,
                    message: message
                }));
            },
            channel: channel
        };
    }

    return {
        openSignalingChannel: openSignalingChannel,
        openSocket: openSocket,
        websocket: websocket,
        channels: channels,
        userid: currentUserUUID
    };
}
