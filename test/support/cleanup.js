'use strict';

// What a test opens is handed to track(); everything still open is destroyed after the test, passed or not.

const open = new Set();

/** Remembers a server, socket, stream, worker or running program, and returns it. */
function track(thing) {
  open.add(thing);
  // A server's own connections would keep its port and the process busy when a test fails half-way.
  // (A TLS server gets no 'connection' listener here: with one it works differently inside.)
  if (thing.setSecureContext) thing.on('secureConnection', track);
  else if (thing.listen) thing.on('connection', track);
  thing.once?.('close', () => open.delete(thing));
  return thing;
}

/** Ends all that is still open. Resolves when the programs among it have exited. */
async function cleanUp() {
  const things = [...open];
  open.clear();
  await Promise.all(things.map(async (thing) => {
    if (thing.kill) return thing.kill();
    if (thing.terminate) return thing.terminate();
    if (thing.destroy) {
      thing.on?.('error', () => {});
      thing.destroy();
    } else if (thing.listening) {
      thing.close();
    }
    return undefined;
  }));
}

module.exports = { track, cleanUp };
