import { enter, makeConnection, onStart, tell } from './page.js';

const files = document.querySelector('#files');
const input = document.querySelector('#file');

const connection = makeConnection({ data: true });
connection.enableFileSharing = true;
connection.onopen = () => {
  input.disabled = false;
  tell(`Connected with ${connection.getAllParticipants().length}.`);
};
connection.onFileStart = ({ name }) => tell(`${name} is being sent …`);
connection.onFileProgress = () => {};
connection.onFileEnd = ({ name, url, size, userid }) => {
  const line = document.createElement('li');
  const link = Object.assign(document.createElement('a'), { href: url, download: name, textContent: name });
  line.append(link, `${size} bytes, ${userid === connection.userid ? 'sent' : `from ${userid}`}`);
  files.append(line);
  tell(`${name} has ${userid === connection.userid ? 'been sent' : 'arrived'}.`);
};
input.onchange = () => connection.send(input.files[0]);
onStart(() => enter(connection));
