// DataChannel.js and RTCMultiConnection want WebRTC under a name of 2015. Chromium still has one of
// those, Firefox has none. Load this before the library.

if (!window.webkitRTCPeerConnection) window.mozRTCPeerConnection ??= window.RTCPeerConnection;
