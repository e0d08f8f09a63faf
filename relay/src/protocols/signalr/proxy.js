// The hub of signal-relay for pages of ASP.NET SignalR 2. Load jQuery and jquery.signalR first;
// then
//
//   $.connection.webRtcHub3.client.onMessageReceived = function (text) { … };
//   $.connection.hub.start().done(function () { $.connection.webRtcHub3.server.send(text); });
//
// carries each text that one page sends to all others of the space 'SPACE'.
(function ($) {
  'use strict';
  if (!$ || !$.hubConnection) {
    throw new Error('This script needs jQuery and jquery.signalR: load both before it.');
  }
  var connection = $.hubConnection('BASE', { useDefaultPath: false });
  var heard = {};
  var hub;

  // What the page hangs on `client` is looked at when the connection starts, and called as it is
  // then.
  connection.starting(function () {
    $.each(hub.client, function (name, handler) {
      if (heard[name] || !$.isFunction(handler)) return;
      heard[name] = true;
      hub.on(name, function () {
        if ($.isFunction(hub.client[name])) hub.client[name].apply(hub, arguments);
      });
    });
  });

  hub = connection.createHubProxy('webRtcHub3');
  hub.client = {};
  hub.server = {
    send: function (text) {
      return hub.invoke('Send', text);
    },
  };
  $.connection.hub = connection;
  $.connection.webRtcHub3 = hub;
})(window.jQuery);
