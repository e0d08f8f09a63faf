// A server of some other kind: one subscribes to topics,
// and what is published comes wrapped in its own way.

const server = `ws${location.origin.slice(4)}`;
const topic = 'signaling';
let socket;

function say(frame) {
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
