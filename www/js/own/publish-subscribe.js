// A server with a protocol of its own: clients subscribe to
// topics, and receive what others publish there.

const server = `ws${location.origin.slice(4)}`;
const topic = 'signaling';
let socket;

function say(frame) {
  // A closing WebSocket would drop the frame silently.
  if (socket.readyState !== WebSocket.OPEN) {
    throw new Error('not connected');
  }
  socket.send(JSON.stringify(frame));
}

export const transport = {
  open() {
    socket = new WebSocket(`${server}/bring-your-own`);
    socket.onopen = () => {
      say({ type: 'subscribe', topics: [topic] });
      transport.onopen();
    };
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      if (frame.type === 'publish') transport.onmessage(frame.data);
    };
    socket.onclose = ({ code }) => {
      transport.onclose(`closed with code ${code}`);
    };
  },
  send(text) {
    say({ type: 'publish', topic, data: text });
  },
  close() {
    socket.onclose = null;
    socket.close();
  },
};
