'use strict';
// Slots that the files of this folder share on each other's objects.
module.exports = {
  kOwnCheck: Symbol('checkServerIdentity of one request'),     // request options, and the socket made from them
};
