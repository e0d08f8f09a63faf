import { enter, makeConnection, onStart } from './page.js';

const connection = makeConnection({ audio: true, video: true });
onStart(() => enter(connection));
