'use strict';
// WSServer's Log event: what is told of a client at which LogLevel.
const { eventObject } = require('./event-objects');

/** Levels by type of entry. */
const LEVELS = new Map([['Info', 1], ['Error', 1], ['Verbose', 2], ['Debug', 3]]);

const SECRETS = /^(Authorization|Cookie|Proxy-Authorization):.*$/gim;

/**
 * Fires Log, if somebody listens and LogLevel is high enough.
 * @param {object} server
 * @param {string} connectionId
 * @param {'Info' | 'Error' | 'Verbose' | 'Debug'} logType
 * @param {() => string} describe
 */
function log(server, connectionId, logType, describe) {
  if (server.listenerCount('Log') === 0) return;
  const logLevel = LEVELS.get(logType);
  if (logLevel > server._settings.number('LogLevel')) return;
  server.emit('Log', eventObject({ connectionId, logLevel, message: describe(), logType }));
}

/** Headers without the secrets in them, when MaskSensitiveData is on. */
function shownHeaders(server, headers) {
  return server._settings.isOn('MaskSensitiveData') ? headers.replace(SECRETS, '$1: ***') : headers;
}

module.exports = { log, shownHeaders };
