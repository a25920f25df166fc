'use strict';
// WebSocketOpenRequest: the opening request of a client, which a listener accepts or rejects.
const { ask } = require('./decisions');
const { eventObject } = require('./event-objects');
const { failure } = require('./errors');

const SWITCHING = 101;
const SERVER_ERROR = 500;
const INVALID_ARGUMENT = 10022;

/** The sub-protocol that the answer names; null: none. An untouched list: its first. */
function chosenProtocol(server, connectionId, offered, list, answer) {
  if (answer === list) return offered[0] ?? null;
  const chosen = String(answer ?? '').trim();
  if (chosen === '' || offered.includes(chosen)) return chosen || null;
  server._reportError(connectionId,
    failure(INVALID_ARGUMENT, `SubProtocols: the client has not offered "${chosen}".`));
  return null;
}

/**
 * Asks the program, and answers the request.
 * @param {object} server
 * @param {import('./ws-handle').WebSocketHandle} handle
 * @param {{ target: string, host: string, origin: string, protocols: string[], extensions: string, headers: string }}
 *   request as the native side has read it
 * @param {number} patience milliseconds for promises
 */
function openWebSocket(server, handle, request, patience) {
  const { native, connectionId } = handle;
  const list = request.protocols.join(',');
  const event = eventObject({
    connectionId,
    requestURI: request.target,
    hostHeader: request.host,
    originHeader: request.origin,
    extensions: request.extensions,
    requestHeaders: request.headers,
  }, { subProtocols: list, statusCode: SWITCHING, responseHeaders: '' });

  function reject(status, headers) {
    native.rejectUpgrade(status, null, headers || null, null);
    handle.onAnswered(status);
  }

  function answer() {
    const status = Number(event.statusCode);
    const headers = String(event.responseHeaders ?? '');
    if (status !== SWITCHING) {
      reject(status, headers);
      return;
    }
    const protocol = chosenProtocol(server, connectionId, request.protocols, list, event.subProtocols);
    native.acceptUpgrade(protocol, headers || null);
    handle.onAnswered(status);
  }

  ask(server, 'WebSocketOpenRequest', event, patience, (answered) => {
    if (handle.closed || handle.leaving) return;
    if (!answered) {
      reject(SERVER_ERROR, '');
      return;
    }
    try {
      answer();
    } catch (error) {
      // A header or a status that no response may have: nothing of it has been sent.
      server._reportError(connectionId, failure(INVALID_ARGUMENT, error.message, { cause: error }));
      reject(SERVER_ERROR, '');
    }
  });
}

module.exports = { openWebSocket };
