// Ready transports for signalings that a page has already: each wraps an object of the page's and
// carries text both ways.
//
// All of them share one life. The library calls `open`, waits for `onopen`, and after `onclose`
// calls `open` again when its own `reconnect` says so. A client that reconnects by itself may be up
// again before that: then `open` finds it connected. What the client reports is listened to from
// the start and for good, because half of these clients can't take a handler back; `between` lets
// through only what the library waits for.

/** WebSync: a `fm.websync.client`, used as the shim uses it. */
export function websync(client, options) {
  must('websync', 'client', client, ['connect', 'join', 'publish'], 'a new fm.websync.client(url)');
  const { channel, userid: username = Math.floor(Math.random() * 2 ** 53) } = read('websync', options, { channel: '/chat', userid: undefined });
  return between(({ up, down, heard }) => {
    let attempt;
    const drop = () => {
      attempt = undefined;
      client.disconnect?.({});
    };
    return {
      open() {
        // A client that was left behind may still report; only the latest attempt counts.
        const mine = (attempt = {});
        const lost = (reason) => () => {
          if (mine !== attempt) return;
          drop();
          down(reason);
        };
        client.connect({
          onSuccess() {
            if (mine !== attempt) return;
            const onReceive = (event) => mine === attempt && heard(event.getData().text);
            client.join({ channel, userId: username, userNickname: username, onReceive });
            up();
          },
          onFailure: lost('WebSync can’t connect'),
          onStreamFailure: lost('WebSync has lost its stream'),
        });
      },
      send: (text) => void client.publish({ channel, data: { username, text } }),
      close: drop,
    };
  });
}

/** Socket.IO: a client object of any version from 1 to 4. */
export function socketIo(socket, options) {
  must('socketIo', 'socket', socket, ['on', 'emit', 'connect', 'disconnect'], 'what io(url) gives');
  const { event } = read('socketIo', options, { event: 'message' });
  return between(({ up, down, heard }) => {
    let again = false;
    socket.on('connect', up);
    socket.on('disconnect', down);
    socket.on('connect_error', (error) => down(words(error)));
    // Servers of Socket.IO 1 and 2 refuse a client so, and leave it half connected. Later ones have
    // no such event, but pages may.
    socket.on('error', (error) => {
      if (socket.connected) return;
      socket.disconnect();
      down(words(error));
    });
    // An object, as the shim emits; what came as one goes on as text.
    socket.on(event, (data) => heard(typeof data === 'string' ? data : JSON.stringify(data)));
    return {
      open() {
        const trying = (socket.active ?? socket.subs) && !(again && socket.io?.reconnection?.() === false);
        again = true;
        if (socket.connected) up();
        else if (!trying) socket.connect();
      },
      send: (text) => void socket.emit(event, JSON.parse(text)),
      close: () => socket.disconnect(),
    };
  });
}

/** ASP.NET SignalR 2: a hub proxy, `$.connection.webRtcHub3` or what `createHubProxy` gives. */
export function hubProxy(proxy, options) {
  const CONNECTED = 1;
  const RECONNECTING = 2;
  const DISCONNECTED = 4;
  must('hubProxy', 'proxy', proxy, [], '$.connection.webRtcHub3');
  const { connection } = proxy;
  must('hubProxy', 'proxy.connection', connection, ['start', 'stop', 'stateChanged'], 'a proxy of jquery.signalR');
  const { target, method } = read('hubProxy', options, { target: 'onMessageReceived', method: 'Send' });
  // Generated proxies have their methods with a small first letter.
  const small = method[0].toLowerCase() + method.slice(1);
  if (!proxy.on) {
    must('hubProxy', 'proxy.client', proxy.client, [], 'that of $.connection.webRtcHub3');
    must('hubProxy', 'proxy.server', proxy.server ?? {}, [small], 'a proxy of a hub that has the method');
  }
  return between(({ up, down, heard }) => {
    let starting = false;
    // The connection asks the server only for hubs that have a handler when it starts.
    if (proxy.on) proxy.on(target, heard);
    else proxy.client[target] = heard;
    connection.stateChanged(({ newState }) => {
      if (newState === CONNECTED) {
        starting = false;
        up();
      } else if (newState === RECONNECTING || (newState === DISCONNECTED && !starting)) down(words(connection.lastError));
    });
    return {
      open() {
        if (connection.state === CONNECTED) up();
        else if (connection.state === DISCONNECTED) {
          starting = true;
          connection.start().then(up, (error) => {
            starting = false;
            down(words(error));
          });
        }
      },
      send(text) {
        if (connection.state !== CONNECTED) throw new Error('the hub’s connection is down');
        const sent = proxy.on ? proxy.invoke(method, text) : proxy.server[small](text);
        // The promises of old versions of jQuery don't catch what a handler throws.
        return sent && Promise.resolve(sent).catch(failed(method, () => connection.state === CONNECTED));
      },
      close() {
        starting = false;
        connection.stop();
      },
    };
  });
}

/** ASP.NET Core SignalR: a `HubConnection` of @microsoft/signalr. */
export function hubConnection(connection, options) {
  const members = ['on', 'invoke', 'start', 'stop', 'onclose', 'onreconnecting', 'onreconnected'];
  must('hubConnection', 'connection', connection, members, 'what new HubConnectionBuilder().withUrl(url).build() gives');
  const { target, method } = read('hubConnection', options, { target: 'onMessageReceived', method: 'Send' });
  return between(({ up, down, heard }) => {
    const lost = (error) => down(words(error));
    connection.on(target, heard);
    connection.onreconnecting(lost);
    connection.onreconnected(up);
    connection.onclose(lost);
    return {
      open() {
        if (connection.state === 'Connected') up();
        else if (connection.state === 'Disconnected') connection.start().then(up, lost);
        // It has no event for the end of these two.
        else if (connection.state !== 'Reconnecting') down(`the connection is ${connection.state.toLowerCase()}`);
      },
      send(text) {
        if (connection.state !== 'Connected') throw new Error('the hub’s connection is down');
        return connection.invoke(method, text).catch(failed(method, () => connection.state === 'Connected'));
      },
      close: () => void connection.stop().catch(() => {}),
    };
  });
}

/** The tabs and frames of one browser and origin, without any server. */
export function broadcastChannel(name = 'signal-wasm') {
  if (typeof name !== 'string') throw wrong(`broadcastChannel: name must be a string, but it is ${show(name)}`);
  return between(({ up, heard }) => {
    let tabs;
    const close = () => tabs?.close();
    return {
      open() {
        close();
        tabs = new BroadcastChannel(name);
        tabs.onmessage = ({ data }) => heard(data);
        up();
      },
      send: (text) => tabs.postMessage(text),
      close,
    };
  });
}

/**
 * The transport that `make` describes, told to the library only between its `open` and the end that
 * either side makes of it.
 */
function between(make) {
  let wanted = false;
  let isUp = false;
  const side = make({
    up() {
      if (!wanted || isUp) return;
      isUp = true;
      transport.onopen?.();
    },
    down(reason) {
      if (!wanted) return;
      wanted = isUp = false;
      transport.onclose?.(reason);
    },
    heard(text) {
      // Whatever it was: the library counts what is no envelope.
      if (wanted) transport.onmessage?.(String(text));
    },
  });
  const transport = {
    open() {
      wanted = true;
      isUp = false;
      side.open();
    },
    send: (text) => side.send(text),
    pipeline: true,
    close() {
      wanted = isUp = false;
      side.close();
    },
  };
  return transport;
}

/**
 * The error of an invocation that failed: the hub has refused the message, unless the connection is
 * down.
 */
function failed(method, isUp) {
  return (error) => {
    const reason = new Error(`the hub refused ${method}: ${words(error)}`);
    throw isUp() ? Object.assign(reason, { code: 'message-refused' }) : error;
  };
}

function must(call, name, value, members, like) {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) throw wrong(`${call}: ${name} must be ${like}, but it is ${show(value)}`);
  for (const member of members) {
    if (typeof value[member] !== 'function') throw wrong(`${call}: ${name}.${member} must be a function, but it is ${show(value[member])}; pass ${like}`);
  }
}

function read(call, options = {}, defaults) {
  must(call, 'options', options, [], `an object with ${Object.keys(defaults).join(', ')}`);
  const chosen = { ...defaults };
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(defaults, name)) throw wrong(`${call}: there is no option ${name}; there is ${Object.keys(defaults).join(', ')}`, 'unknown-option');
    const right = typeof value === 'string' ? value !== '' : name === 'userid' && Number.isSafeInteger(value);
    if (value === undefined) continue;
    if (!right) throw wrong(`${call}: ${name} must be text, but it is ${show(value)}`);
    chosen[name] = value;
  }
  return chosen;
}

function wrong(sentence, code = 'bad-option') {
  return Object.assign(new TypeError(sentence), { code });
}

function words(error) {
  if (error === undefined || error === null) return undefined;
  return String(error.message ?? (typeof error === 'string' ? error : JSON.stringify(error)));
}

function show(value) {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'function' || (typeof value === 'object' && value !== null) ? `of type ${typeof value}` : String(value);
}
