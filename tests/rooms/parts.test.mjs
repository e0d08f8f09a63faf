// The parts of the rooms that stand alone: passwords, the query, the socket.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keyOf, masked, proofOf } from '../../npm/rtcmulticonnection/password.js';
import { readQuery } from '../../npm/rtcmulticonnection/query.js';
import { Socket } from '../../npm/rtcmulticonnection/socket.js';

describe('passwords', () => {
  it('have keys that differ by password and room; no password has none', () => {
    const keys = [['a', 'room'], ['b', 'room'], ['a', 'other'], [1, 'room'], ['', 'room"']].map(([password, room]) => keyOf(password, room));
    assert.equal(new Set(keys).size, 5);
    assert.equal(keyOf('1', 'room'), keys[3]);
    for (const none of [undefined, null, '', false]) assert.equal(keyOf(none, 'room'), undefined);
  });

  it('are proven for one challenge and one page', () => {
    const key = keyOf('a', 'room');
    const proofs = [['n', 'p'], ['m', 'p'], ['n', 'q']].map(([nonce, page]) => proofOf(key, nonce, page));
    assert.equal(new Set(proofs).size, 3);
  });

  it('a masked key is found again with the old one only', () => {
    const [old, key] = [keyOf('a', 'room'), keyOf('b', 'room')];
    const text = masked(key, old, 'nonce');
    assert.notEqual(text, key);
    assert.equal(masked(text, old, 'nonce'), key);
    assert.notEqual(masked(text, key, 'nonce'), key);
    assert.equal(masked(masked(key, undefined, 'n'), undefined, 'n'), key);
  });
});

describe('the query', () => {
  const read = (address) => {
    const { parameters, extra } = readQuery(address);
    return [Object.fromEntries(parameters), extra];
  };

  it('is read as the library writes it', () => {
    const address = '/?userid=u1&sessionid=my room&msgEvent=RTCMultiConnection-Message&socketCustomEvent=C&autoCloseEntireSession=false&maxParticipantsAllowed=1000&extra={"a":"b&c=d?e#f","g":["}",{"h":"\\"&"}]}&custom=1&more=%20x';
    assert.deepEqual(read(address), [
      { userid: 'u1', sessionid: 'my room', msgEvent: 'RTCMultiConnection-Message', socketCustomEvent: 'C', autoCloseEntireSession: 'false', maxParticipantsAllowed: '1000', custom: '1', more: ' x' },
      { a: 'b&c=d?e#f', g: ['}', { h: '"&' }] },
    ]);
  });

  it('may be encoded, broken or missing', () => {
    assert.deepEqual(read('https://a.example/?userid=%C3%A9&extra=%7B%22a%22%3A1%7D'), [{ userid: 'é' }, { a: 1 }]);
    assert.deepEqual(read('/?extra={"a":&userid=u'), [{}, {}]);
    assert.deepEqual(read('/?userid=%E0%A4%A&extra='), [{ userid: '%E0%A4%A' }, {}]);
    for (const nothing of [undefined, null, '', '/', '/?']) assert.deepEqual(read(nothing), [{}, {}]);
  });
});

describe('the socket', () => {
  it('keeps what is emitted until it is connected, and takes the last function for the answer', () => {
    const emitted = [];
    const socket = new Socket('id', (...all) => emitted.push(all), () => {});
    const answer = () => {};
    socket.emit('first', 1, answer).emit('second');
    assert.deepEqual([emitted, socket.connected], [[], false]);
    socket.on('connect', () => socket.emit('third', {}, null));
    socket.setConnected(true);
    assert.deepEqual(emitted, [['third', [{}, null], undefined], ['first', [1], answer], ['second', [], undefined]]);
  });

  it('calls each listener, also if one throws or takes itself away', (context) => {
    const errors = context.mock.method(console, 'error', () => {});
    const heard = [];
    const socket = new Socket('id', () => {}, () => {});
    socket.on('x', () => {
      throw new Error('the page’s own');
    });
    socket.once('x', (value) => heard.push(['once', value]));
    const listener = (value) => heard.push(['on', value]);
    socket.on('x', listener);
    socket.fire('x', 1);
    socket.fire('x', 2);
    socket.off('x', listener);
    socket.fire('x', 3);
    assert.deepEqual(heard, [['once', 1], ['on', 1], ['on', 2]]);
    assert.equal(errors.mock.callCount(), 3);
    assert.throws(() => socket.on('x', 5), { code: 'bad-option' });
    socket.resetProps = () => 'set by the library';
    assert.equal(socket.resetProps(), 'set by the library');
  });
});
