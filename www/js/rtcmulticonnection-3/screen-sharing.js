import { enter, makeConnection, onStart } from './page.js';

// Only who opens the room shows its screen.
const connection = makeConnection({ screen: true, oneway: true });
onStart(() => enter(connection));
